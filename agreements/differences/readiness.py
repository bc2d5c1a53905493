"""When a lead is ready, as statements: definitions, aims, facts, personas, screen, points."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agreements.differences.kinds import clause_of, why_of
from agreements.differences.leaves import asked, condition, leaf, members, question
from agreements.differences.tree import Item, Items, Parts, Statement, Value
from agreements.model import Agreement, ChannelThreshold, EngagementCriterion, FitCriterion, Qualification, SalesSourced
from agreements.wording import readiness
from agreements.wording import vocabulary as say


def definitions(agreement: Agreement) -> Statement:
    """State the prose of each word."""
    return Parts("definitions", {word: leaf(f"definition of {word}", prose) for word, prose in agreement.definitions.items()})


def objectives(agreement: Agreement) -> Statement:
    """State each side's aims, one by one."""
    aims = agreement.objectives
    found = {
        (side, name): leaf(f"{side} aims at {say.plain(name)}", aim)
        for side in type(aims).model_fields
        for name, aim in getattr(aims, side).items()
    }
    return Parts("objectives", found)


def fields(agreement: Agreement) -> Statement:
    """State each fact: its type, and how its values are written."""
    found = {
        name: clause_of(f"fact {name}", field, words=say.plain(field.type), why=why_of(f"fact {name}", field.why))
        for name, field in agreement.fields.items()
    }
    return Parts("fields", found)


def personas(agreement: Agreement) -> Statement:
    """State each persona by its name; their order counts."""
    found = (
        Item(
            (one.name,),
            clause_of(
                f"persona {one.name}",
                one,
                words=say.condition(one.match),
                match=condition(f"persona {one.name}", one.match),
            ),
        )
        for one in agreement.personas
    )
    return Items("personas", tuple(found), ordered=True)


def screen(agreement: Agreement) -> Statement:
    """State each rule by what it asks; their order counts."""
    found = []
    for rule in agreement.screen:
        label = f"screen rule “{say.condition(rule.when)}”"
        told = clause_of(
            label,
            rule,
            words=readiness.what_follows(rule),
            when=condition("screen rule", rule.when),
            as_=leaf(f"{label} as", rule.as_ or rule.then),
            why=why_of(label, rule.why),
        )
        found.append(Item((question(rule.when), asked(rule.when)), told))
    return Items("screen", tuple(found), ordered=True)


def qualification(agreement: Agreement) -> Statement:
    """State the fast lane, the minimums, and each criterion by what it asks."""
    rules = agreement.qualification
    channels = {name: _channel(name, rules, changed) for name, changed in rules.by_channel.items()}
    return clause_of(
        "",
        rules,
        mql=Parts("", {field: leaf(_THRESHOLDS[field], getattr(rules.mql, field)) for field in type(rules.mql).model_fields}),
        fit=Items("fit", tuple(_criterion("fit", one) for one in rules.fit)),
        engagement=Items("engagement", tuple(_criterion("engagement", one) for one in rules.engagement)),
        by_channel=Parts("by channel", channels),
        fast_lane=members("fast lane", rules.fast_lane, names=True),
        on_change=clause_of("on a change of", rules.on_change),
        sales_sourced=_sales_sourced(rules.sales_sourced),
    )


def _channel(name: str, rules: Qualification, changed: ChannelThreshold) -> Parts:
    """State the minimums for one channel. A minimum that it does not name is the one for all leads."""
    label, told = f"leads from {say.plain(name)},", {}
    for field, words in _THRESHOLDS.items():
        own = getattr(changed, field)
        told[field] = replace(leaf(f"{label} {words}", getattr(rules.mql, field) if own is None else own), inherited=own is None)
    return Parts(label, told, readiness.changed_threshold(changed))


def _sales_sourced(rules: SalesSourced) -> Parts:
    same = leaf("leads that sales brings in qualify by the same rules", rules.same_rules)
    clocks = members("clocks of leads that sales brings in", rules.clocks, names=True)
    return clause_of("", rules, same_rules=same, clocks=clocks)


_THRESHOLDS = {
    "total": "points needed to qualify",
    "fit_at_least": "fit points needed to qualify",
    "engagement_at_least": "engagement points needed to qualify",
}


def _criterion(part: str, rule: FitCriterion | EngagementCriterion) -> Item:
    """State one criterion, identified by what it asks; a condition also by the facts it asks for."""
    label = f"{part} for “{readiness.question_of(rule)}”"
    when = getattr(rule, "when", None)
    exact = (readiness.question_of(rule), rule.external_score) if when is None else question(when)
    about = _about(rule) if when is None else asked(when)
    told = clause_of(label, rule, words=f"{say.points(rule.points)} points", why=why_of(label, rule.why))
    own: dict[Any, Statement] = {**told.parts, "points": Value(label, f"{rule.points} points", rule.points)}
    own["out_of"] = leaf(f"{label} out of", rule.out_of if rule.external_score else None)
    if when is not None:
        own["when"] = condition(f"{part} criterion", when)
    if isinstance(rule, EngagementCriterion) and rule.last_touch:
        own["last_touch"] = leaf(f"{label} within", rule.last_touch.within)
    return Item((exact, about), Parts(label, own, told.words))


def _about(rule: FitCriterion | EngagementCriterion) -> tuple[str, str]:
    kinds = ("persona", "activity", "external_score")
    return next(((kind, getattr(rule, kind)) for kind in kinds if getattr(rule, kind, "")), ("last_touch", ""))
