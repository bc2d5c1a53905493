"""Working time: when a company is open, and how much open time lies between two instants.

Working time is real elapsed time, so a day of 25 hours has 25. Instants are aware datetimes in any zone and
come back in UTC. Nothing here reads a clock, a file or the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil
from typing import Any, Protocol, Self
from zoneinfo import ZoneInfo

from agreements.calendar.clause import SpecialDays, hours_on, read_clause
from agreements.calendar.instants import FIRST, LAST, NaiveDatetime, Span, as_utc, disjoint, in_order, length, place, without
from agreements.calendar.opening_hours import DAY_SECONDS, Interval, Week
from agreements.calendar.problems import CalendarError
from agreements.calendar.public_holidays import ClosedDays

__all__ = ["HORIZON", "CalendarError", "ClosedDays", "Lasting", "NaiveDatetime", "Span", "WorkingCalendar", "as_utc", "in_order"]

HORIZON = timedelta(days=5 * 366)
"""How long a calendar may stay closed, or stay open, before a search for the next change gives up."""

_ONE_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)
_REMEMBERED_DAYS = 10_000


class Lasting(Protocol):
    """A time that can calculate when it has passed, such as a `Duration`."""

    def after(self, start: datetime, calendar: WorkingCalendar | None = None, pauses: Iterable[Span] = ()) -> datetime:
        """Return the UTC instant at which it has passed since start, pauses left out."""
        ...


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Answers when a company is open, in one time zone.

    timezone: the zone of all local times and dates; weekly: the intervals of Monday to Sunday; closed_on:
    holidays; special_days: intervals of single dates, which win over holidays, which win over weekly hours.
    An interval belongs to the day it starts on. It is open at its opening and closed at its closing. A
    skipped local time moves forward, a repeated one takes the first. `pauses` are pairs of instants between
    which no time counts. Raises, in every method: NaiveDatetime if an instant has no zone.
    """

    timezone: ZoneInfo
    weekly: Week
    closed_on: ClosedDays = ClosedDays()
    special_days: SpecialDays = ()
    _spans: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_clause(cls, clause: Mapping[Any, Any]) -> Self:
        """Return the calendar that an entry under `calendars:` describes.

        clause: `timezone`, an IANA name; `hours`, days ("mon-fri", "sat", "mon,wed") to intervals
        ("08:00-13:00, 14:00-18:00", "23:00-07:00", "00:00-24:00"); `holidays`, {country, subdivision} or a
        list of dates (`*-12-24` is every year); `special_days`, date to intervals or "closed". Intervals are
        text or a list of such, dates are dates or text, names of days may be long and in any case.
        Raises: CalendarError; its `problems` name every mistake, its place and what to write instead.
        """
        return cls(*read_clause(clause))

    def hours_on(self, day: date) -> tuple[Interval, ...]:
        """Return the intervals that start on this local date, earliest first; none if the day is closed."""
        return hours_on(day, self.weekly, self.closed_on, self.special_days)

    def holidays_between(self, first: date, last: date) -> tuple[date, ...]:
        """Return the holidays from first to last, both included, as dates that a snapshot can keep."""
        days = (first + _ONE_DAY * step for step in range((last - first).days + 1))
        return tuple(day for day in days if day in self.closed_on)

    def is_open(self, at: datetime) -> bool:
        """Whether the company is open at this instant: yes at an opening, no at a closing."""
        at = as_utc(at)
        return any(opens <= at < closes for spans in self.open_days(at, at) for opens, closes in spans)

    def next_opening(self, at: datetime) -> datetime:
        """Return the instant itself while open, otherwise the next opening.

        Raises: CalendarError if none follows within HORIZON.
        """
        return self.add(at, timedelta())

    def next_closing(self, at: datetime) -> datetime:
        """Return the next closing after this instant. Intervals that touch do not close in between.

        Raises: CalendarError if none follows within HORIZON, as in a calendar that is open day and night.
        """
        at, closing = as_utc(at), None
        for opens, closes in (span for spans in self.open_days(at) for span in spans):
            if closing is not None and opens > closing:
                return closing
            if closes > at + HORIZON:
                raise CalendarError(("hours",), f"never closes within 5 years of {at}", "hours with an end")
            if closes > at:
                closing = closes
        if closing is None:
            raise _never_opens(at)
        return closing

    def next_working_day(self, at: datetime) -> datetime:
        """Return the first opening of the first working day that begins after this instant.

        Raises: CalendarError if no open day follows within HORIZON.
        """
        at = as_utc(at)
        for spans in self.open_days(at):
            if spans[0][0] > at:
                return spans[0][0]
        raise _never_opens(at)

    def end_of_working_day(self, at: datetime) -> datetime:
        """Return the last closing of the working day in which this instant falls, otherwise of the next open day.

        A break is part of its day. The small hours of a night shift are part of the day on which the shift started.
        Raises: CalendarError if no open day follows within HORIZON.
        """
        at = as_utc(at)
        for spans in self.open_days(at):
            return spans[-1][1]
        raise _never_opens(at)

    def add(self, start: datetime, duration: timedelta | Lasting, pauses: Iterable[Span] = ()) -> datetime:
        """Return the instant at which this much working time has passed since start, pauses left out.

        Lies in (opening, closing]; for a zero duration it is the next opening, or start while open.
        duration: a timedelta is working time; a `Duration` keeps its own meaning, so `2 hours` is elapsed time.
        Raises: ValueError for a negative duration; CalendarError if the calendar stops opening for HORIZON.
        """
        if not isinstance(duration, timedelta):
            return duration.after(start, self, pauses)
        if duration < timedelta():
            raise ValueError(f"a working duration cannot be negative, as {duration} is; write 0 or more")
        start = as_utc(start)
        uncounted = sorted([(FIRST, start), *in_order(pauses)])
        for spans in self.open_days(start):
            counted = without(spans, uncounted)
            counts = length(counted)
            if counted and duration <= counts:
                return place(counted, duration)
            duration -= counts
        raise _never_opens(start)

    def add_days(self, start: datetime, n: int | Fraction, pauses: Iterable[Span] = ()) -> datetime:
        """Return the instant at the same share of open time on the nth following open day, pauses left out.

        Lies in (opening, closing]: from an opening, or from outside hours, n days end with the nth closing.
        For n = 0 it is the next opening, or start while open.
        Raises: ValueError for a negative n; CalendarError if the calendar stops opening for HORIZON.
        """
        if n < 0:
            raise ValueError(f"a number of working days cannot be negative, as {n} is; write 0 or more")
        start, remaining = as_utc(start), Fraction(n)
        uncounted = sorted([(FIRST, start), *in_order(pauses)])
        for spans in self.open_days(start):
            counted = without(spans, uncounted)
            share = _share(counted, spans)
            if counted and remaining <= share:
                return place(counted, ceil(remaining * (length(spans) // _MICROSECOND)) * _MICROSECOND)
            remaining -= share
        raise _never_opens(start)

    def between(self, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> timedelta:
        """Return the working time from start to end, pauses left out; zero if end is not later."""
        return sum((length(counted) for counted, _ in self._counted(start, end, pauses)), timedelta())

    def days_between(self, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> Fraction:
        """Return the working days from start to end, pauses left out. Each open day counts by the share that lies between."""
        return sum((_share(counted, spans) for counted, spans in self._counted(start, end, pauses)), Fraction(0))

    def open_between(self, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> list[Span]:
        """Return the open stretches from start to end, pauses left out, earliest first."""
        return [span for counted, _ in self._counted(start, end, pauses) for span in counted]

    def closed_days(self, start: datetime, end: datetime) -> list[tuple[date, str]]:
        """Return the local dates from start to end on which nothing opens, each with the reason: `special day`, the holiday or ""."""
        first, last = (as_utc(at).astimezone(self.timezone).date() for at in (start, end))
        days = (first + _ONE_DAY * step for step in range((last - first).days + 1))
        return [(day, self._why_closed(day)) for day in days if not self._spans_of(day)]

    def _why_closed(self, day: date) -> str:
        if any(day == special for special, _ in self.special_days):
            return "special day"
        return self.closed_on.name_of(day) if self.weekly[day.weekday()] else ""

    def share(self, start: datetime, due: datetime, fraction: Fraction | float, pauses: Iterable[Span] = ()) -> datetime:
        """Return the instant at which this fraction of the working time between start and due has passed.

        fraction: 0 to 1. Without working time in between, the result is due.
        Raises: ValueError for a fraction outside 0 to 1.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"{fraction} is not a share of the time until due; write a fraction from 0 to 1")
        pauses = in_order(pauses)
        whole = self.between(start, due, pauses) // _MICROSECOND
        part = round(whole * Fraction(fraction)) * _MICROSECOND
        return self.add(start, part, pauses) if whole else as_utc(due)

    def _counted(self, start: datetime, end: datetime, pauses: Iterable[Span]) -> Iterator[tuple[list[Span], tuple[Span, ...]]]:
        """Yield for each open day the spans that count, and all of its spans."""
        start, end = as_utc(start), as_utc(end)
        uncounted = sorted([(FIRST, start), (end, LAST), *in_order(pauses)])
        return ((without(spans, uncounted), spans) for spans in self.open_days(start, end))

    def open_days(self, at: datetime, until: datetime | None = None) -> Iterator[tuple[Span, ...]]:
        """Yield the spans of each open day that ends after `at`, until the calendar stays closed for HORIZON."""
        # Two days back, because a night shift may end after a local date that its zone skipped.
        day = open_last = at.astimezone(self.timezone).date() - 2 * _ONE_DAY
        last = until and until.astimezone(self.timezone).date()
        closed = FIRST
        while (day <= last if last else day - open_last <= HORIZON) and day.year < 9999:
            spans = self._spans_of(day)
            if spans and spans[0][0] < closed:
                spans = disjoint(spans, closed)
            if spans:
                open_last, closed = day, spans[-1][1]
                if closed > at:
                    yield spans
            day += _ONE_DAY

    def _spans_of(self, day: date) -> tuple[Span, ...]:
        spans = self._spans.get(day)
        if spans is None:
            if len(self._spans) >= _REMEMBERED_DAYS:
                self._spans.clear()
            spans = self._spans[day] = self._resolve(day)
        return spans

    def _resolve(self, day: date) -> tuple[Span, ...]:
        # A date that the zone skipped (Apia, 2011-12-30) has no hours: they would move to the next date.
        if self._instant(day, 0) == self._instant(day, DAY_SECONDS):
            return ()
        hours = self.hours_on(day)
        return disjoint(((self._instant(day, a), self._instant(day, z)) for a, z in hours), FIRST)

    def _instant(self, day: date, seconds: int) -> datetime:
        local = datetime.combine(day, time()) + timedelta(seconds=seconds)
        return local.replace(tzinfo=self.timezone).astimezone(UTC)


def _share(counted: Iterable[Span], spans: Iterable[Span]) -> Fraction:
    return Fraction(length(counted) // _MICROSECOND, length(spans) // _MICROSECOND)


def _never_opens(at: datetime) -> CalendarError:
    problem = f"counting from {at}, nothing is open for 5 years"
    return CalendarError(("hours",), problem, "hours that holidays and special_days leave open")
