"""Whether a lead is ready for sales: points for fit and engagement, minimums, the fast lane, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from agreements.durations import Duration
from agreements.lead import LeadFacts
from agreements.model import Agreement, EngagementCriterion, FitCriterion, Threshold


@dataclass(frozen=True, slots=True)
class Point:
    """One criterion that gave points: the rule in words, the value it saw, when (aware, None for a lasting fact), points, why."""

    rule: str
    value: str
    at: datetime | None
    points: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Qualified:
    """The verdict on one lead at one instant. fit, engagement: sums; total: their sum held within 0 and 100."""

    is_mql: bool
    fast_lane: str
    fit: int
    engagement: int
    total: int
    threshold: Threshold
    points: tuple[Point, ...]
    reasons: tuple[str, ...]


def qualify(agreement: Agreement, facts: LeadFacts, *, now: datetime) -> Qualified:
    """The verdict under this agreement, with every criterion that counted. now: aware."""
    rules = agreement.qualification
    fit = tuple(point for rule in rules.fit if (point := _fit(rule, agreement, facts)))
    engagement = tuple(point for rule in rules.engagement if (point := _engagement(rule, facts, now)))
    fit_sum, engagement_sum = sum(one.points for one in fit), sum(one.points for one in engagement)
    total = min(100, max(0, fit_sum + engagement_sum))
    threshold = threshold_for(agreement, facts.entry_channel)
    lane = fast_lane(agreement, facts)
    missing = _missing(threshold, fit_sum, engagement_sum, total)
    reasons = (f"asked for it: {lane.replace('_', ' ')}",) if lane else missing or ("reaches every minimum",)
    return Qualified(bool(lane) or not missing, lane, fit_sum, engagement_sum, total, threshold, fit + engagement, reasons)


def fast_lane(agreement: Agreement, facts: LeadFacts) -> str:
    """The newest activity that qualifies without a score, empty for none."""
    lane = agreement.qualification.fast_lane
    fresh = [done for done in facts.activities if facts.since is None or done.at > facts.since]
    return next((done.kind for done in reversed(fresh) if done.kind in lane), "")


def threshold_for(agreement: Agreement, entry_channel: str) -> Threshold:
    """The minimums that hold for leads of this entry channel."""
    base, changed = agreement.qualification.mql, agreement.qualification.by_channel.get(entry_channel)
    return base.model_copy(update=changed.model_dump(exclude_none=True)) if changed else base


def _missing(threshold: Threshold, fit: int, engagement: int, total: int) -> tuple[str, ...]:
    asked = (
        ("total", total, threshold.total),
        ("fit", fit, threshold.fit_at_least),
        ("engagement", engagement, threshold.engagement_at_least),
    )
    return tuple(f"{name} {have} is below {want}" for name, have, want in asked if have < want)


def _fit(rule: FitCriterion, agreement: Agreement, facts: LeadFacts) -> Point | None:
    if rule.persona:
        persona = next((one for one in agreement.personas if one.name == rule.persona), None)
        if persona is None or not persona.match.holds(facts.values):
            return None
        return Point(f"persona {rule.persona}", str(persona.match), None, rule.points, rule.why)
    if rule.when is None or not rule.when.holds(facts.values):
        return None
    seen = ", ".join(_shown(name, facts) for name in sorted(rule.when.fields))
    return Point(str(rule.when), seen, None, rule.points, rule.why)


def _shown(name: str, facts: LeadFacts) -> str:
    value = facts.value(name)
    return f"an address at {str(value).rpartition('@')[2]}" if name == "email" and value else str(value)


def _engagement(rule: EngagementCriterion, facts: LeadFacts, now: datetime) -> Point | None:
    if rule.last_touch:
        touched = facts.last_touch
        within = rule.last_touch.within
        if touched is None or within.after(touched, None) <= now:
            return None
        return Point(f"spoken to within {within}", f"{touched:%Y-%m-%d}", touched, rule.points, rule.why)
    seen = [done for done in facts.activities if done.kind == rule.activity and done.at <= now and _on_path(done.path, rule.path)]
    if not seen:
        return None
    raw = sum(rule.points * _left(now - done.at, rule.half_life) for done in seen)
    points = round(raw if rule.at_most is None else max(-rule.at_most, min(rule.at_most, raw)))
    words = rule.activity.replace("_", " ") + (f" {rule.path}" if rule.path else "")
    return Point(words, f"{len(seen)} times" if len(seen) > 1 else "once", seen[-1].at, points, rule.why)


def _on_path(path: str, wanted: str) -> bool:
    return not wanted or path == wanted or path.startswith(wanted.rstrip("/") + "/")


def _left(age: timedelta, half_life: Duration | None) -> float:
    if half_life is None:
        return 1.0
    life = half_life.after(_ORIGIN, None) - _ORIGIN
    return float(0.5 ** (age / life)) if life else 1.0


_ORIGIN = datetime.fromisoformat("2000-01-03T00:00:00+00:00")
