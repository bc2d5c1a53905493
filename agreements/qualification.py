"""Whether a lead is ready for sales: points for fit and engagement, minimums, the fast lane, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from agreements.fields import as_stated
from agreements.lead import LeadFacts
from agreements.model import Agreement, EngagementCriterion, FitCriterion, Persona, Threshold, Tier
from agreements.scoring import decay, is_done, is_there, points_in_proportion, whole_points


@dataclass(frozen=True, slots=True)
class Point:
    """One criterion: the rule in words, the value it saw, when (aware, None for a lasting fact), points, why. applies: whether
    the criterion holds for the lead; if not, it gives no points."""

    rule: str
    value: str
    at: datetime | None
    points: int
    why: str = ""
    applies: bool = True


@dataclass(frozen=True, slots=True)
class Qualified:
    """The verdict on one lead at one instant. fit, engagement: sums; total: their sum, limited to 0 to 100."""

    is_mql: bool
    fast_lane: str
    fit: int
    engagement: int
    total: int
    threshold: Threshold
    points: tuple[Point, ...]
    reasons: tuple[str, ...]


def qualify(agreement: Agreement, facts: LeadFacts, *, now: datetime) -> Qualified:
    """Judge the lead under this agreement, with every criterion that counted. facts: as they came; now: aware.

    Activities after now do not count.
    """
    facts = as_stated(agreement, facts)
    fit, engagement = _fit_points(agreement, facts), _engagement_points(agreement, facts, now)
    fit_sum, engagement_sum = sum(one.points for one in fit), sum(one.points for one in engagement)
    total = min(100, max(0, fit_sum + engagement_sum))
    threshold = threshold_for(agreement, facts.entry_channel)
    lane = fast_lane(agreement, facts, now=now)
    missing = (*_too_low(threshold, fit_sum, engagement_sum, total), *_not_there(agreement, facts))
    reasons = (f"asked for it: {lane.replace('_', ' ')}",) if lane else missing or ("reaches every minimum",)
    counted = tuple(one for one in (*fit, *engagement) if one.applies)
    return Qualified(bool(lane) or not missing, lane, fit_sum, engagement_sum, total, threshold, counted, reasons)


def every_criterion(agreement: Agreement, facts: LeadFacts, *, now: datetime) -> tuple[Point, ...]:
    """Return every criterion in the order of the file, fit and then engagement, including those that do not apply to the lead."""
    facts = as_stated(agreement, facts)
    return (*_fit_points(agreement, facts), *_engagement_points(agreement, facts, now))


def fast_lane(agreement: Agreement, facts: LeadFacts, *, now: datetime) -> str:
    """Return the newest activity until now that qualifies the lead without a score, empty for none."""
    lane = agreement.qualification.fast_lane
    fresh = [done for done in facts.activities if done.at <= now and (facts.since is None or done.at > facts.since)]
    return next((done.kind for done in reversed(fresh) if done.kind in lane), "")


def threshold_for(agreement: Agreement, entry_channel: str) -> Threshold:
    """Return the minimums for leads of this entry channel."""
    base, changed = agreement.qualification.mql, agreement.qualification.by_channel.get(entry_channel)
    return base.model_copy(update=changed.model_dump(exclude_none=True)) if changed else base


def persona_of(agreement: Agreement, values: Mapping[str, Any]) -> Persona | None:
    """Return the first persona that matches these facts (as the rules see them), None for none."""
    return next((persona for persona in agreement.personas if persona.match.holds(values)), None)


def found_out(agreement: Agreement, values: Mapping[str, Any], verdict: Qualified) -> dict[str, Any]:
    """Return the facts that tiers and segments may ask for once a lead is judged: fast_lane, asked, score, persona, product."""
    persona = persona_of(agreement, values)
    return {
        "fast_lane": bool(verdict.fast_lane),
        **asked_for(agreement, verdict.fast_lane),
        "score": verdict.total,
        "persona": persona.name if persona else "",
        "product": persona.product if persona else "",
    }


def asked_for(agreement: Agreement, lane: str) -> dict[str, str]:
    """Return the fact `asked`: the activity that opened the fast lane, empty for none.

    If an agreement was published with a field of that name, the field wins.
    """
    return {} if "asked" in agreement.fields else {"asked": lane}


def tier_for(agreement: Agreement, facts: LeadFacts, verdict: Qualified) -> Tier:
    """Return the first tier that the lead matches. The last tier takes every lead. facts: as they came."""
    values = as_stated(agreement, facts).values
    known = {**values, **found_out(agreement, values, verdict)}
    return next((tier for tier in agreement.tiers if tier.when.holds(known)), agreement.tiers[-1])


def _too_low(threshold: Threshold, fit: int, engagement: int, total: int) -> tuple[str, ...]:
    asked = (
        ("total", total, threshold.total),
        ("fit", fit, threshold.fit_at_least),
        ("engagement", engagement, threshold.engagement_at_least),
    )
    return tuple(f"{name} {have} is below {want}" for name, have, want in asked if have < want)


def _not_there(agreement: Agreement, facts: LeadFacts) -> tuple[str, ...]:
    asked = agreement.qualification.require
    return tuple(f"{name} is required and not known" for name in asked if not is_there(facts.value(name)))


def _fit_points(agreement: Agreement, facts: LeadFacts) -> tuple[Point, ...]:
    return tuple(_fit(rule, agreement, facts) for rule in agreement.qualification.fit)


def _engagement_points(agreement: Agreement, facts: LeadFacts, now: datetime) -> tuple[Point, ...]:
    return tuple(_engagement(rule, facts, now) for rule in agreement.qualification.engagement)


def _fit(rule: FitCriterion, agreement: Agreement, facts: LeadFacts) -> Point:
    if rule.external_score:
        return _external(rule, facts)
    if rule.persona:
        persona = next((one for one in agreement.personas if one.name == rule.persona), None)
        match, words = (persona.match, f"persona {rule.persona}") if persona else (None, f"persona {rule.persona}")
        seen = str(match) if match and match.holds(facts.values) else _seen(match.fields if match else frozenset(), facts)
    else:
        match, words = rule.when, str(rule.when)
        seen = _seen(match.fields if match else frozenset(), facts)
    applies = match is not None and match.holds(facts.values)
    return Point(words, seen, None, rule.points if applies else 0, rule.why, applies)


def _external(rule: FitCriterion | EngagementCriterion, facts: LeadFacts) -> Point:
    score = facts.value(rule.external_score)
    points = points_in_proportion(rule.points, rule.out_of, score)
    return Point(
        f"{rule.external_score} out of {rule.out_of:g}", _shown(rule.external_score, facts), None, points, rule.why, score is not None
    )


def _seen(names: frozenset[str], facts: LeadFacts) -> str:
    return ", ".join(_shown(name, facts) for name in sorted(names))


def _shown(name: str, facts: LeadFacts) -> str:
    value = facts.value(name)
    if value is None:
        return "unknown"
    return f"an address at {str(value).rpartition('@')[2]}" if name == "email" else str(value)


def _engagement(rule: EngagementCriterion, facts: LeadFacts, now: datetime) -> Point:
    if rule.external_score:
        return _external(rule, facts)
    if rule.last_touch:
        within, touched = rule.last_touch.within, facts.last_touch
        applies = touched is not None and touched <= now < touched + within.length
        seen = f"{touched:%Y-%m-%d}" if touched else "never"
        return Point(f"spoken to within {within}", seen, touched, rule.points if applies else 0, rule.why, applies)
    words = rule.activity.replace("_", " ") + (f" {rule.path}" if rule.path else "")
    seen_at = [done.at for done in facts.activities if done.at <= now and is_done(rule, done.kind, done.path)]
    if not seen_at:
        return Point(words, "never", None, 0, rule.why, applies=False)
    left = decay(rule)
    parts = sum(left((now - at) // _MICROSECOND) for at in seen_at)
    times = f"{len(seen_at)} times" if len(seen_at) > 1 else "once"
    return Point(words, times, seen_at[-1], whole_points(rule, parts), rule.why)


_MICROSECOND = timedelta(microseconds=1)
