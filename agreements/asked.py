"""Which facts an agreement's rules ask for, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agreements.clauses.facts import LATER
from agreements.criteria import Condition
from agreements.model import Agreement, EngagementCriterion, FitCriterion


def facts_asked(agreement: Agreement) -> dict[str, list[str]]:
    """Return the facts that the rules ask about, each with the clauses that ask for it, in the order of the file.

    Facts that follow from the verdict are left out, and so are the rules that come after it: segments, legs.
    """
    asked: dict[str, list[str]] = {}
    for where, names in _questions(agreement):
        for name in sorted(names):
            if (name not in LATER or name in agreement.fields) and where not in asked.setdefault(name, []):
                asked[name].append(where)
    return {name: places for name, places in asked.items() if places}


def facts_needed(agreement: Agreement) -> set[str]:
    """Return the facts that must be known about a lead to judge it and to choose its team."""
    needed = {name for segment in agreement.routing.segments for name in segment.when.fields} - LATER.keys()
    if any(rule.then == "route" for rule in agreement.screen):
        needed.add("account.owner")
    return needed | facts_asked(agreement).keys() | ({"asked"} & agreement.fields.keys())


def _questions(agreement: Agreement) -> Iterator[tuple[str, frozenset[str]]]:
    rules = agreement.qualification
    yield "applies_to", agreement.applies_to.fields
    for persona in agreement.personas:
        yield f"persona {persona.name}", persona.match.fields
    for number, screen in enumerate(agreement.screen, start=1):
        yield f"screen {number}", screen.when.fields
    parts: dict[str, Sequence[FitCriterion | EngagementCriterion]] = {"fit": rules.fit, "engagement": rules.engagement}
    for part, criteria in parts.items():
        for number, rule in enumerate(criteria, start=1):
            when: Condition | None = getattr(rule, "when", None)
            yield f"{part} {number}", (when.fields if when else frozenset()) | ({rule.external_score} - {""})
    if rules.by_channel:
        yield "by_channel", frozenset({"entry_channel"})
    yield "require", frozenset(rules.require)
    for tier in agreement.tiers:
        yield f"tier {tier.name}", tier.when.fields
