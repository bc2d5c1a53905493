"""Pace: how far an aim for a week, month, quarter or year has come, and what is still needed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal, get_args

from agreements.calendar.working_time import WorkingCalendar
from agreements.clauses.aims import Aim
from agreements.review.period import Period
from agreements.review.share import Value
from agreements.words import word

#: The periods that an aim may name.
Per = Literal["week", "month", "quarter", "year"]
_MONTHS: dict[Per, int] = {"month": 1, "quarter": 3, "year": 12}


class Pace(Value):
    """How far an aim has come within its own period, for example a month. first, last: the days of that period.

    done: so far; target: for the whole period; expected: by now, by working days. working_days_passed, of working_days. needed_a_day: of
    each working day that is left, null where none is left. on_pace: done is at least expected.
    """

    per: Per
    first: date
    last: date
    target: float
    done: float
    expected: float
    working_days_passed: int
    working_days: int
    needed_a_day: float | None
    on_pace: bool


def days_of(aim: Aim, day: date) -> tuple[date, date]:
    """Return the first and the last day of the aim's period that holds this day. Raises ValueError for an aim without a period."""
    per = word(aim.per, get_args(Per))
    if per == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if per is None:
        raise ValueError(f"'{aim}' has no period")
    length = _MONTHS[per]
    first = day.replace(month=(day.month - 1) // length * length + 1, day=1)
    after = (first + timedelta(days=32 * length)).replace(day=1)  # at most 8 days into the month after the period
    return first, after - timedelta(days=1)


def pace(aim: Aim, done: float, period: Period, calendar: WorkingCalendar) -> Pace:
    """Return the pace at the end of the review's period. done: in the aim's own period so far, in the aim's unit.

    calendar: whose open days are working days. The day on which the review is made counts as passed once it is over.
    """
    first, last = days_of(aim, period.last)
    passed, whole = _working_days(first, _last_whole_day(period), calendar), _working_days(first, last, calendar)
    target = float(aim.amount)
    expected = target * passed / whole if whole else target
    left = whole - passed
    return Pace(
        per=word(aim.per, get_args(Per)) or "month",
        first=first,
        last=last,
        target=target,
        done=done,
        expected=round(expected, 2),
        working_days_passed=passed,
        working_days=whole,
        needed_a_day=round(max(0.0, target - done) / left, 2) if left else None,
        on_pace=done >= expected,
    )


def _last_whole_day(period: Period) -> date:
    day = period.day(period.as_of - timedelta(microseconds=1))
    return day if period.as_of == period.ends else day - timedelta(days=1)


def _working_days(first: date, last: date, calendar: WorkingCalendar) -> int:
    return sum(bool(calendar.hours_on(first + timedelta(days=number))) for number in range((last - first).days + 1))
