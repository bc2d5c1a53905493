"""Why a lead gets its verdict: every rule, including those that gave no points, and how many points are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from agreements.fields import as_stated
from agreements.lead import LeadFacts, domain_of
from agreements.model import Agreement, FitCriterion
from agreements.qualification import Point, Qualified, every_criterion, found_out, qualify, tier_for
from agreements.routing import segment_for
from agreements.scoring import is_there
from agreements.screening import Screening, screen
from agreements.wording import vocabulary as say
from agreements.wording.readiness import question_of


@dataclass(frozen=True, slots=True)
class Measure:
    """One sum against its minimum. name: total, fit or engagement."""

    name: str
    points: int
    wanted: int

    @property
    def short(self) -> int:
        """How many points are missing, 0 if none."""
        return max(0, self.wanted - self.points)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything that decides about one lead at one instant.

    meant: whether the agreement is for such leads. sorted_out: whether the screen rule decides, so that points do not count.
    need_not_qualify: whether a rep brought the lead in and such leads go to their rep without qualifying.
    rule: which screen rule matched, counted from 1 in the order of the file; None if none did. fit, engagement: each criterion
    in the order of the file, its `rule` in the words of the contract. required: the facts that must be known, and whether they are.
    tier, team: where the lead would go; the team is empty if no segment matches.
    """

    meant: bool
    screening: Screening
    rule: int | None
    sorted_out: bool
    need_not_qualify: bool
    fit: tuple[Point, ...]
    engagement: tuple[Point, ...]
    measures: tuple[Measure, ...]
    required: Mapping[str, bool]
    verdict: Qualified
    tier: str
    team: str
    persona: str


def explain(agreement: Agreement, facts: LeadFacts, *, now: datetime) -> Explanation:
    """Explain why this lead qualifies or not under this agreement. facts: as they came, with the CRM's; now: aware."""
    verdict, screening = qualify(agreement, facts, now=now), screen(agreement, facts.values)
    rules = agreement.qualification
    points = every_criterion(agreement, facts, now=now)
    seen = as_stated(agreement, facts)
    fit = tuple(_told(one, point, agreement, seen) for one, point in zip(rules.fit, points[: len(rules.fit)], strict=True))
    done = zip(rules.engagement, points[len(rules.fit) :], strict=True)
    known = found_out(agreement, seen.values, verdict)
    rule = screening.rule
    sorted_out = rule is not None and not (rule.then == "route" and not seen.value("account.owner"))
    tier = (rule.tier if rule and sorted_out else "") or tier_for(agreement, facts, verdict).name
    segment = segment_for(agreement, {**facts.values, **known, "tier": tier})
    wanted = verdict.threshold
    return Explanation(
        meant=agreement.is_default or agreement.applies_to.holds(seen.values),
        screening=screening,
        rule=next((at for at, one in enumerate(agreement.screen, start=1) if one is rule), None),
        sorted_out=sorted_out,
        need_not_qualify=bool(seen.value("sales_sourced")) and not rules.sales_sourced.same_rules,
        fit=fit,
        engagement=tuple(replace(point, rule=question_of(one)) for one, point in done),
        measures=(
            Measure("total", verdict.total, wanted.total),
            Measure("fit", verdict.fit, wanted.fit_at_least),
            Measure("engagement", verdict.engagement, wanted.engagement_at_least),
        ),
        required={name: is_there(seen.value(name)) for name in rules.require},
        verdict=verdict,
        tier=tier,
        team=segment.team if segment else "",
        persona=str(known["persona"]),
    )


def _told(rule: FitCriterion, point: Point, agreement: Agreement, facts: LeadFacts) -> Point:
    """The criterion in the words of the contract. If it asks several facts, each is named with its value."""
    persona = next((one for one in agreement.personas if one.name == rule.persona), None)
    match = persona.match if persona else rule.when
    value = point.value
    if match is not None and (persona or len(match.fields) > 1):
        value = ", ".join(f"{say.fact(name)} {_shown(name, facts)}" for name in dict.fromkeys(test.field for test in match.tests))
    return replace(point, rule=question_of(rule), value=value)


def _shown(name: str, facts: LeadFacts) -> str:
    value = facts.value(name)
    if value is None:
        return "unknown"
    return f"at {domain_of(str(value))}" if name == "email" else say.value(value)
