"""Made-up lives of leads over half a year: what each lead is, and what sales makes of it. One cause is planted in them, or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from math import exp
from random import Random
from typing import Literal

from tests.app.review.made_quarter import IDLE, WORTH

#: The half year, and the first day of the quarter at its end, which is reviewed.
FIRST, QUARTER, LAST = date(2026, 10, 1), date(2027, 1, 1), date(2027, 3, 31)
#: When it is reviewed: three weeks later, when nearly every lead has become what it becomes.
NOW = datetime(2027, 4, 21, 9, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOURCES = ("fair", "partner", "website")
#: Why sales gives leads back: how many of a hundred for which reason.
REASONS: Mapping[str, float] = {"not-icp": 12, "not-now": 30, "no-budget": 24, "no-response": 34}


@dataclass(frozen=True, slots=True)
class Life:
    """One lead. facts: what is said about it, of the facts of WORTH. points: as agreed on that day; is_mql: whether they were enough.

    reason: why sales gives it back. answered, attempted: how long after the due time, negative where in time. ended: how long after the
    first attempt. version: of the agreement.
    """

    at: datetime
    source: str
    facts: Mapping[str, bool]
    points: int
    is_mql: bool
    fate: Literal["opportunity", "returned", "rejected"]
    reason: str
    answered: timedelta
    attempted: timedelta
    ended: timedelta
    version: int


def _nothing(source: str) -> Mapping[str, int]:
    return {}


def _same(life: Life) -> Life:
    return life


@dataclass(frozen=True, slots=True)
class Law:
    """How leads come, how they become opportunities, and why they come back.

    leads: how many. chances: how many of ten have a fact, where it differs from WORTH. middle: the points at which half of the highest
    share is won; steep: over how many points the share rises. worth: what a fact of a source is truly worth, where it differs from WORTH.
    idle: what the agreement gives for the fact that says nothing. threshold, version: of the agreement, by day. reasons: as REASONS,
    by day. late: the part of promises that is kept too late. change: to single lives.
    """

    leads: int = 2_500
    chances: Mapping[str, float] = field(default_factory=dict)
    middle: float = 50
    steep: float = 6
    highest: float = 0.35
    worth: Callable[[str], Mapping[str, int]] = _nothing
    idle: int = 0
    threshold: Callable[[date], int] = lambda day: 50
    version: Callable[[date], int] = lambda day: 2
    reasons: Callable[[date], Mapping[str, float]] = lambda day: REASONS
    late: float = 0.15
    change: Callable[[Life], Life] = _same


def lives(seed: int, law: Law) -> Iterator[Life]:
    """Yield the leads in the order in which they come, on working days from ten to noon."""
    dice = Random(seed)
    days = [FIRST + at * DAY for at in range((LAST - FIRST).days + 1)]
    working = [day for day in days if day.weekday() < 5]
    for number in range(law.leads):
        day = working[number * len(working) // law.leads]
        at = datetime(day.year, day.month, day.day, 10, tzinfo=UTC) + timedelta(seconds=dice.randrange(7200))
        yield law.change(_life(dice, law, at))


def _life(dice: Random, law: Law, at: datetime) -> Life:
    day, source = at.date(), dice.choice(SOURCES)
    chances = {name: of_ten for name, (_, of_ten) in WORTH.items()} | {IDLE: 5} | dict(law.chances)
    facts = {name: dice.random() < of_ten / 10 for name, of_ten in chances.items()}
    true = {name: points for name, (points, _) in WORTH.items()} | {IDLE: 0}
    points = _sum(facts, true | {IDLE: law.idle})
    chance = law.highest / (1 + exp((law.middle - _sum(facts, true | dict(law.worth(source)))) / law.steep))
    reasons = law.reasons(day)
    return Life(
        at=at,
        source=source,
        facts=facts,
        points=points,
        is_mql=points >= law.threshold(day),
        fate="opportunity" if dice.random() < chance else dice.choice(("returned", "returned", "rejected")),
        reason=dice.choices(list(reasons), list(reasons.values()))[0],
        answered=_late(dice, law.late),
        attempted=_late(dice, law.late),
        ended=timedelta(hours=dice.randint(24, 15 * 24)),
        version=law.version(day),
    )


def _sum(facts: Mapping[str, bool], points: Mapping[str, int]) -> int:
    return sum(points[name] for name, has in facts.items() if has)


def _late(dice: Random, part: float) -> timedelta:
    return HOUR if dice.random() < part else -HOUR


def in_week(monday: date) -> Callable[[Life], bool]:
    """Return what tells whether a lead came in that week."""
    return lambda life: monday <= life.at.date() < monday + 7 * DAY


def nobody_there(monday: date) -> Callable[[Life], Life]:
    """Return the change by which nobody works for a week, and everything of that week is given back a day late."""
    of_week = in_week(monday)
    return lambda life: replace(life, fate="rejected", reason="not-now", answered=DAY, attempted=DAY) if of_week(life) else life
