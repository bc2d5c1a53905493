"""How long something may take, as an agreement writes it: "5 working minutes", "90 days".

This module knows what the words mean; `working_time` knows when a company is open.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal, get_args

from agreements.calendar.working_time import Span, WorkingCalendar, as_utc, in_order

Unit = Literal["minutes", "hours", "days"]

_SECONDS: dict[str, int] = {"minutes": 60, "hours": 60 * 60, "days": 24 * 60 * 60}
_LONGEST = timedelta(days=100 * 366)
_TERM = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) (working )?(minute|hour|day)s?")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_END_OF_DAY = "end of same working day"
_RELEASE_PLAN = "per release plan"
ALWAYS = WorkingCalendar.from_clause({"timezone": "UTC", "hours": {"mon-sun": "00:00-24:00"}})
"""The calendar of elapsed time."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A number of minutes, hours or days, elapsed or working.

    amount: 0 or more, whole or a fraction; unit: an elapsed day is 24 hours; working: whether only the open
    time of a calendar counts.
    Raises: ValueError for a negative amount, one over 100 years, or another unit.
    """

    amount: int | Fraction
    unit: Unit
    working: bool = False

    def __post_init__(self) -> None:
        if self.unit not in get_args(Unit):
            raise ValueError(f"{self.unit!r} is not a unit of time; write minutes, hours or days")
        if self.amount < 0:
            raise ValueError(f"'{self}' is negative; write 0 or more")
        if self.amount * _SECONDS[self.unit] > _LONGEST.total_seconds():
            raise ValueError(f"'{self}' is longer than 100 years; write a shorter time")

    @property
    def length(self) -> timedelta:
        """The time that must pass, to the microsecond: elapsed time, or open time if `working`.

        Raises: ValueError for working days, whose length depends on the calendar.
        """
        if self.working and self.unit == "days":
            raise ValueError(f"'{self}' has no fixed length, because open days differ; write working hours")
        return timedelta(microseconds=round(self.amount * _SECONDS[self.unit] * 1_000_000))

    def left_after(self, start: datetime, end: datetime, calendar: WorkingCalendar, pauses: Iterable[Span] = ()) -> Duration | None:
        """Return what is left after a run from start to end on this calendar, pauses left out; None if nothing is left.

        Working days count by shares: half of a short day and half of a long day are both half a day.
        """
        if self.working and self.unit == "days":
            used = calendar.days_between(start, end, pauses)
        else:
            passed = (calendar if self.working else ALWAYS).between(start, end, pauses)
            used = Fraction(passed // timedelta(microseconds=1), _SECONDS[self.unit] * 1_000_000)
        return replace(self, amount=self.amount - used) if used < self.amount else None

    def after(self, start: datetime, calendar: WorkingCalendar | None = None, pauses: Iterable[Span] = ()) -> datetime:
        """Return the UTC instant at which this time has passed since start, pauses left out.

        calendar: whose open time counts; elapsed time ignores it. pauses: pairs of instants between which the
        clock stands still.
        Raises: NaiveDatetime if an instant has no zone; ValueError for working time without a calendar.
        """
        if not self.working:
            pauses = in_order(pauses)
            return ALWAYS.add(start, self.length, pauses) if pauses else as_utc(start) + self.length
        if calendar is None:
            raise _needs_calendar(self)
        if self.unit == "days":
            return calendar.add_days(start, self.amount, pauses)
        return calendar.add(start, self.length, pauses)

    def __str__(self) -> str:
        unit = self.unit.removesuffix("s") if self.amount == 1 else self.unit
        return f"{_written(self.amount)} {'working ' if self.working else ''}{unit}"


@dataclass(frozen=True, slots=True)
class EndOfWorkingDay:
    """The end of the working day in which the clock starts; outside hours, the end of the next open day."""

    @property
    def working(self) -> bool:
        """Always true: only a calendar knows the end of a working day."""
        return True

    def after(self, start: datetime, calendar: WorkingCalendar | None = None, pauses: Iterable[Span] = ()) -> datetime:
        """Return the UTC instant of that day's last closing.

        pauses: pairs of instants between which the clock stands still. If the day ends in a pause, the day on
        which the pause ends counts instead.
        Raises: NaiveDatetime if an instant has no zone; ValueError without a calendar.
        """
        return _end_of_day(self, start, calendar, pauses)

    def __str__(self) -> str:
        return _END_OF_DAY


@dataclass(frozen=True, slots=True)
class ReleasePlan:
    """By the end of the working day on which the tier's `release` gives out the lead.

    The clock starts on that day, so the caller must know the day first.
    """

    @property
    def working(self) -> bool:
        """Always true: leads are released by the working day."""
        return True

    def after(self, start: datetime, calendar: WorkingCalendar | None = None, pauses: Iterable[Span] = ()) -> datetime:
        """Return the UTC instant of the last closing of the day of the release; outside hours, of the next open day.

        start: when the lead is released. pauses: as for the end of a working day.
        Raises: NaiveDatetime if an instant has no zone; ValueError without a calendar.
        """
        return _end_of_day(self, start, calendar, pauses)

    def __str__(self) -> str:
        return _RELEASE_PLAN


Term = Duration | EndOfWorkingDay | ReleasePlan
"""How long a clock runs."""


def _end_of_day(term: Term, start: datetime, calendar: WorkingCalendar | None, pauses: Iterable[Span]) -> datetime:
    if calendar is None:
        raise _needs_calendar(term)
    due = calendar.end_of_working_day(start)
    for paused, resumed in in_order(pauses):
        if paused < due <= resumed:
            due = calendar.end_of_working_day(resumed)
    return due


def parse_term(text: str) -> Term:
    """Read these words as a term. `str` of the term gives words with the same meaning.

    text: a number, `working` or nothing, and minutes, hours or days; or `end of same working day`; or `per release plan`.
    Raises: ValueError, which says what to write instead.
    """
    words = " ".join(str(text).lower().split())
    if words == _END_OF_DAY:
        return EndOfWorkingDay()
    if words == _RELEASE_PLAN:
        return ReleasePlan()
    found = _TERM.fullmatch(words)
    if found is None:
        raise ValueError(f"{_shown(text)} is not a time: {_advice(words)}")
    amount, working, unit = Fraction(found[1]), found[2] is not None, found[3]
    whole = int(amount) if amount.denominator == 1 else amount
    return Duration(whole, _unit(unit), working)


def _unit(name: str) -> Unit:
    return "minutes" if name == "minute" else "hours" if name == "hour" else "days"


def _advice(words: str) -> str:
    number = words.split(" ")[0]
    if words.startswith("end of"):
        return f"write '{_END_OF_DAY}'"
    if "release" in words:
        return f"write '{_RELEASE_PLAN}'; `release` of the tier says how many a day"
    if number.startswith("-"):
        return "it cannot be negative; write 0 or more, such as '5 minutes'"
    if not _NUMBER.fullmatch(number) or len(number) > 9:
        return "write a number and a unit, such as '5 working minutes', '12 hours' or '90 days'"
    if number == words:
        return f"the unit is missing; write '{number} working minutes', '{number} hours' or '{number} days'"
    if "week" in words:
        return f"weeks are written as days; write '{_written(Fraction(number) * 7)} days'"
    if "business" in words:
        return f"write '{number} working days' or '{number} working hours'"
    units = "minutes, hours, days, working minutes, working hours or working days"
    return f"the unit is unknown; write {number} and one of {units}"


def _written(amount: int | Fraction) -> str:
    return format(Decimal(amount.numerator) / Decimal(amount.denominator), "f")


def _needs_calendar(term: Term) -> ValueError:
    return ValueError(f"'{term}' follows a calendar and there is none; name one, or write elapsed time")


def _shown(value: object) -> str:
    text = repr(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
