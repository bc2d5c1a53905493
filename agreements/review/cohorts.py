"""Cohorts: how far the MQLs of each month came, and which months are still too young to say."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from agreements.calendar.durations import ReleasePlan
from agreements.clocks import calendar_for
from agreements.model import Agreement
from agreements.review.passes import Pass
from agreements.review.period import Period, midnight
from agreements.review.share import FEW, Share, Value, ninth_of_ten, part
from agreements.words import ClockName

#: The steps of a cohort after the MQL: accepted by sales (SAL), SQL, opportunity, won.
StepOfCohort = Literal["sal", "sql", "opportunity", "won"]
#: The clocks that may run until a step. No clock runs until a win.
_CLOCKS: Mapping[StepOfCohort, tuple[ClockName, ...]] = {
    "sal": ("delivery", "acceptance"),
    "sql": ("delivery", "acceptance", "first_attempt", "outcome"),
    "opportunity": ("delivery", "acceptance", "first_attempt", "outcome"),
    "won": (),
}


class Step(Value):
    """How many MQLs of a month reached a step so far. young: the month is too young; the share may still grow."""

    reached: Share
    young: bool


class Cohort(Value):
    """The MQLs of one month, as 2027-02, and how far they came so far."""

    month: str
    mqls: int
    sal: Step
    sql: Step
    opportunity: Step
    won: Step


class Maturity(Value):
    """How old the youngest MQL of a month must be before its share of a step is final. seconds: null where nobody can say yet.

    because: 9 of 10 that took the step took it within this time; or, while fewer than 20 took it, the agreed clocks together.
    """

    step: StepOfCohort
    seconds: float | None
    because: Literal["nine of ten", "clocks", "unknown"]


def maturities(passes: Iterable[Pass], won_at: Mapping[int, datetime], agreement: Agreement, at: datetime) -> tuple[Maturity, ...]:
    """Return the maturity of each step. won_at: when the first opportunity of a pass was won. at: an instant at which clocks start."""
    known = [one for one in passes if one.mql_at and not one.merged]
    return tuple(_maturity(step, known, _at(step, won_at), agreement, at) for step in _CLOCKS)


def _maturity(step: StepOfCohort, known: Sequence[Pass], at_of: _At, agreement: Agreement, at: datetime) -> Maturity:
    took = [(reached - one.mql_at).total_seconds() for one in known if one.mql_at and (reached := at_of(one))]
    if len(took) >= FEW:
        return Maturity(step=step, seconds=ninth_of_ten(took), because="nine of ten")
    if not _CLOCKS[step]:
        return Maturity(step=step, seconds=None, because="unknown")
    return Maturity(step=step, seconds=sum(_longest(agreement, name, at) for name in _CLOCKS[step]), because="clocks")


def _longest(agreement: Agreement, name: ClockName, at: datetime) -> float:
    """Return the longest time that any tier has for this clock, in elapsed seconds from that instant."""
    clock = agreement.clock(name)
    terms = [one for one in clock.within.values() if not isinstance(one, ReleasePlan)]
    ends = [one.after(at, calendar_for(clock, agreement)) for one in terms]
    return max(((end - at).total_seconds() for end in ends), default=0.0)


_At = Callable[[Pass], "datetime | None"]


def _at(step: StepOfCohort, won_at: Mapping[int, datetime]) -> _At:
    steps: Mapping[StepOfCohort, _At] = {
        "sal": lambda one: one.accepted_at,
        "sql": lambda one: one.sql_at,
        "opportunity": lambda one: one.opportunity_at,
        "won": lambda one: won_at.get(one.id),
    }
    return steps[step]


def cohorts(passes: Iterable[Pass], won_at: Mapping[int, datetime], period: Period, found: Sequence[Maturity]) -> tuple[Cohort, ...]:
    """Return the months that are followed, the newest last. Months without an MQL are left out."""
    by_month: dict[str, list[Pass]] = {}
    for one in passes:
        if one.mql_at and not one.merged:
            by_month.setdefault(f"{period.day(one.mql_at):%Y-%m}", []).append(one)
    known = {one.step: one.seconds for one in found}
    listed = []
    for first in period.months:
        if own := by_month.get(f"{first:%Y-%m}"):
            ends = min(midnight((first + timedelta(days=32)).replace(day=1), period.zone), period.as_of)
            age = (period.as_of - ends).total_seconds()
            steps = {step: _step(own, _at(step, won_at), age, known[step]) for step in _CLOCKS}
            listed.append(Cohort(month=f"{first:%Y-%m}", mqls=len(own), **steps))
    return tuple(listed)


def _step(own: Sequence[Pass], at_of: _At, age: float, needed: float | None) -> Step:
    return Step(reached=part(at_of(one) is not None for one in own), young=needed is None or age < needed)
