"""Working time: when a company is open, and how much of that lies between two instants.

Working time is real elapsed time, so a day of 25 hours has 25. Instants are aware datetimes in any zone and
come back in UTC. Nothing here reads a clock, a file or the network.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from math import ceil
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from holidays import country_holidays, list_supported_countries

Interval = tuple[int, int]
"""Opening and closing, in seconds of wall-clock time after the midnight a day begins with; may pass 24 h."""
Span = tuple[datetime, datetime]
"""An instant and a later one; a pause is written like this too."""

HORIZON = timedelta(days=5 * 366)
"""How long a calendar may stay closed, or stay open, before a search for the next change gives up."""

_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_NAMES = ", ".join(name[:3] for name in _DAY_NAMES)
_ONE_DAY = timedelta(days=1)
_DAY_SECONDS = 24 * 60 * 60
_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)
_REMEMBERED_DAYS = 10_000
_INTERVAL = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?\s*[-\u2013]\s*(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)


class NaiveDatetime(ValueError):
    """The instant has no time zone; give it an offset, such as 2026-12-01T09:00:00+00:00."""

    def __str__(self) -> str:
        naive = self.args[0].isoformat()
        return f"{naive} has no time zone; write an offset, as in {naive}+00:00"


class CalendarError(ValueError):
    """The calendar cannot be used as it is written.

    path: the keys, as the clause has them, that lead to the faulty entry; problem: what is wrong there;
    instead: what to write there.
    """

    def __init__(self, path: tuple[object, ...], problem: str, instead: str) -> None:
        super().__init__(path, problem, instead)
        self.path, self.problem, self.instead = path, problem, instead

    @property
    def key(self) -> str:
        """The path in one line, such as `hours.mon-fri`; `calendar` for the clause as a whole."""
        return ".".join(str(part) for part in self.path) or "calendar"

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}; write {self.instead}"


def as_utc(at: datetime) -> datetime:
    """The same instant in UTC; a skipped local time moves forward, a repeated one with fold 0 is the first.

    Raises: NaiveDatetime if it has no zone; ValueError outside the years 2 to 9998.
    """
    if at.utcoffset() is None:
        raise NaiveDatetime(at)
    if not 2 <= at.year <= 9998:
        raise ValueError(f"{at.isoformat()} is out of reach; write an instant in the years 2 to 9998")
    return at.astimezone(UTC)


def in_order(pauses: Iterable[Span]) -> list[Span]:
    """The pauses in UTC, earliest first; they may overlap.

    Raises: NaiveDatetime; ValueError for a pause that ends before it starts.
    """
    ordered = sorted((as_utc(paused), as_utc(resumed)) for paused, resumed in pauses)
    for paused, resumed in ordered:
        if resumed < paused:
            raise ValueError(f"the pause from {paused} ends before it starts, at {resumed}; swap the two")
    return ordered


@dataclass(frozen=True, slots=True)
class ClosedDays:
    """The days on which nobody works, whatever the weekly hours say.

    country, subdivision: whose public holidays, by ISO 3166 code; dates: single days; yearly: (month, day) of
    every year. Source of public holidays: the `holidays` library, at the version installed.
    """

    country: str | None = None
    subdivision: str | None = None
    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def __contains__(self, day: date) -> bool:
        if day in self.dates or (day.month, day.day) in self.yearly:
            return True
        return self.country is not None and day in _public_holidays(self.country, self.subdivision, day.year)


@lru_cache(maxsize=4096)
def _public_holidays(country: str, subdivision: str | None, year: int) -> frozenset[date]:
    # A table of its own for every year: the library's own lazy growth is not safe with several threads.
    return frozenset(country_holidays(country, subdiv=subdivision, years=year))


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Answers when work is done, in one time zone.

    timezone: the zone of all local times and dates; weekly: the intervals of Monday to Sunday; closed_on:
    holidays; special_days: intervals of single dates, which win over holidays, which win over weekly hours.
    An interval belongs to the day it starts on and is open at its opening, no longer at its closing. A
    skipped local time moves forward, a repeated one takes the first. `pauses` are pairs of instants between
    which no time counts. Raises, in every method: NaiveDatetime if an instant has no zone.
    """

    timezone: ZoneInfo
    weekly: tuple[tuple[Interval, ...], ...]
    closed_on: ClosedDays = ClosedDays()
    special_days: tuple[tuple[date, tuple[Interval, ...]], ...] = ()
    _spans: dict[date, tuple[Span, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_clause(cls, clause: Mapping[Any, Any]) -> Self:
        """The calendar that an entry under `calendars:` describes.

        clause: `timezone`, an IANA name; `hours`, days ("mon-fri", "sat", "mon,wed") to intervals
        ("08:00-13:00, 14:00-18:00", "23:00-07:00", "00:00-24:00"); `holidays`, {country, subdivision} or a
        list of dates (`*-12-24` is every year); `special_days`, date to intervals or "closed".
        Raises: CalendarError, which says where and what to write instead.
        """
        clause = _mapping(clause, (), "keys such as timezone and hours")
        _refuse_unknown_keys(clause, ("timezone", "hours", "holidays", "special_days"), ())
        special = _mapping(clause.get("special_days"), ("special_days",), '2026-12-24: "09:00-12:00"')
        dates = {key: _date(key, ("special_days", key)) for key in special}
        openings = ((day, _intervals(special[key], ("special_days", key))) for key, day in dates.items())
        calendar = cls(
            timezone=_zone(clause.get("timezone")),
            weekly=_week(clause.get("hours")),
            closed_on=_closed_days(clause.get("holidays")),
            special_days=tuple(sorted(openings)),
        )
        if not any(calendar.weekly) and not any(intervals for _, intervals in calendar.special_days):
            raise CalendarError(("hours",), "nothing is ever open", 'hours, such as mon-fri: "09:00-17:00"')
        for key, day in dates.items():
            for first, second in ((day - _ONE_DAY, day), (day, day + _ONE_DAY)):
                if _run_over(calendar.hours_on(first), calendar.hours_on(second)):
                    raise _overlap(("special_days", key), first, second)
        return calendar

    def hours_on(self, day: date) -> tuple[Interval, ...]:
        """The intervals that start on this local date, earliest first; none when it is closed."""
        for special, intervals in self.special_days:
            if special == day:
                return intervals
        return () if day in self.closed_on else self.weekly[day.weekday()]

    def holidays_between(self, first: date, last: date) -> tuple[date, ...]:
        """The holidays from first to last, both included, as dates that a snapshot can keep."""
        days = (first + _ONE_DAY * step for step in range((last - first).days + 1))
        return tuple(day for day in days if day in self.closed_on)

    def is_open(self, at: datetime) -> bool:
        """Whether work is done at this instant: yes at an opening, no at a closing."""
        at = as_utc(at)
        return any(opens <= at < closes for spans in self._open_days(at, at) for opens, closes in spans)

    def next_opening(self, at: datetime) -> datetime:
        """The instant itself while open, otherwise the next opening.

        Raises: CalendarError if none follows within HORIZON.
        """
        return self.add(at, timedelta())

    def next_closing(self, at: datetime) -> datetime:
        """The next instant after this one at which work stops; intervals that touch do not close in between.

        Raises: CalendarError if none follows within HORIZON, as in a calendar that is open day and night.
        """
        at, closing = as_utc(at), None
        for opens, closes in (span for spans in self._open_days(at) for span in spans):
            if closing is not None and opens > closing:
                return closing
            if closes > at + HORIZON:
                raise CalendarError(("hours",), f"never closes within 5 years of {at}", "hours with an end")
            if closes > at:
                closing = closes
        if closing is None:
            raise _never_opens(at)
        return closing

    def end_of_working_day(self, at: datetime) -> datetime:
        """The last closing of the working day this instant falls in, otherwise of the next open day.

        A break counts as part of its day, the small hours of a night shift as part of the day it started on.
        Raises: CalendarError if no open day follows within HORIZON.
        """
        at = as_utc(at)
        for spans in self._open_days(at):
            return spans[-1][1]
        raise _never_opens(at)

    def add(self, start: datetime, duration: timedelta, pauses: Iterable[Span] = ()) -> datetime:
        """The instant at which this much working time has passed since start, pauses left out.

        Lies in (opening, closing]; for a zero duration it is the next opening, or start while open.
        Raises: ValueError for a negative duration; CalendarError if the calendar stops opening for HORIZON.
        """
        if duration < timedelta():
            raise ValueError(f"a working duration cannot be negative, as {duration} is; write 0 or more")
        start = as_utc(start)
        uncounted = sorted([(_FIRST, start), *in_order(pauses)])
        for spans in self._open_days(start):
            counted = _without(spans, uncounted)
            length = _length(counted)
            if counted and duration <= length:
                return _place(counted, duration)
            duration -= length
        raise _never_opens(start)

    def add_days(self, start: datetime, n: int | Fraction, pauses: Iterable[Span] = ()) -> datetime:
        """The same share of open time of the nth following open day, pauses left out.

        Lies in (opening, closing]: from an opening, or from outside hours, n days end with the nth closing.
        For n = 0 it is the next opening, or start while open.
        Raises: ValueError for a negative n; CalendarError if the calendar stops opening for HORIZON.
        """
        if n < 0:
            raise ValueError(f"a number of working days cannot be negative, as {n} is; write 0 or more")
        start, remaining = as_utc(start), Fraction(n)
        uncounted = sorted([(_FIRST, start), *in_order(pauses)])
        for spans in self._open_days(start):
            counted = _without(spans, uncounted)
            whole = _length(spans) // _MICROSECOND
            share = Fraction(_length(counted) // _MICROSECOND, whole)
            if counted and remaining <= share:
                return _place(counted, ceil(remaining * whole) * _MICROSECOND)
            remaining -= share
        raise _never_opens(start)

    def between(self, start: datetime, end: datetime, pauses: Iterable[Span] = ()) -> timedelta:
        """The working time from start to end, pauses left out; never negative, zero if end is not later."""
        start, end = as_utc(start), as_utc(end)
        uncounted = sorted([(_FIRST, start), (end, _LAST), *in_order(pauses)])
        days = (_length(_without(spans, uncounted)) for spans in self._open_days(start, end))
        return sum(days, timedelta())

    def share(self, start: datetime, due: datetime, fraction: Fraction | float, pauses: Iterable[Span] = ()) -> datetime:
        """The instant at which this fraction of the working time between start and due has passed.

        fraction: 0 to 1. With no working time in between it is due itself.
        Raises: ValueError for a fraction outside 0 to 1.
        """
        if not 0 <= fraction <= 1:
            raise ValueError(f"{fraction} is not a share of the time until due; write a fraction from 0 to 1")
        pauses = in_order(pauses)
        whole = self.between(start, due, pauses) // _MICROSECOND
        part = round(whole * Fraction(fraction)) * _MICROSECOND
        return self.add(start, part, pauses) if whole else as_utc(due)

    def _open_days(self, at: datetime, until: datetime | None = None) -> Iterator[tuple[Span, ...]]:
        """The spans of each open day that ends after `at`, until it stays closed for HORIZON."""
        # Two days back, because a night shift may end after a local date that its zone left out.
        day = open_last = at.astimezone(self.timezone).date() - 2 * _ONE_DAY
        last = until and until.astimezone(self.timezone).date()
        closed = _FIRST
        while (day <= last if last else day - open_last <= HORIZON) and day.year < 9999:
            spans = self._spans_of(day)
            if spans and spans[0][0] < closed:
                spans = _disjoint(spans, closed)
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
        # A date that the zone left out (Apia, 2011-12-30) has no hours; they would move on to the next date.
        if self._instant(day, 0) == self._instant(day, _DAY_SECONDS):
            return ()
        hours = self.hours_on(day)
        return _disjoint(((self._instant(day, a), self._instant(day, z)) for a, z in hours), _FIRST)

    def _instant(self, day: date, seconds: int) -> datetime:
        local = datetime.combine(day, time()) + timedelta(seconds=seconds)
        return local.replace(tzinfo=self.timezone).astimezone(UTC)


def _never_opens(at: datetime) -> CalendarError:
    problem = f"counting from {at}, it comes to 5 years in which nothing is open"
    return CalendarError(("hours",), problem, "hours that holidays and special_days leave open")


def _disjoint(spans: Iterable[Span], closed: datetime) -> tuple[Span, ...]:
    """The spans in order, each without what lies before the end of the one before it."""
    kept = []
    for opens, closes in sorted(spans):
        opens = max(opens, closed)
        if opens < closes:
            kept.append((opens, closes))
            closed = closes
    return tuple(kept)


def _without(spans: Iterable[Span], uncounted: Sequence[Span]) -> list[Span]:
    """What is left of the spans outside the uncounted ones, which come earliest first and may overlap."""
    kept = []
    for opens, closes in spans:
        for stops, resumes in uncounted:
            if stops < closes and opens < resumes:
                if opens < stops:
                    kept.append((opens, stops))
                opens = resumes
        if opens < closes:
            kept.append((opens, closes))
    return kept


def _length(spans: Iterable[Span]) -> timedelta:
    return sum((closes - opens for opens, closes in spans), timedelta())


def _place(spans: Sequence[Span], length: timedelta) -> datetime:
    """The instant at which this much of the spans has passed: a closing rather than the next opening."""
    for opens, closes in spans[:-1]:
        if length <= closes - opens:
            return opens + length
        length -= closes - opens
    return spans[-1][0] + length


def _mapping(value: object, path: tuple[object, ...], example: str) -> Mapping[Any, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CalendarError(path, f"{_shown(value)} is not a mapping", example)
    return value


def _refuse_unknown_keys(clause: Mapping[Any, Any], known: Sequence[str], path: tuple[object, ...]) -> None:
    for key in clause:
        if key not in known:
            raise CalendarError((*path, key), "no such key here", f"one of {', '.join(known)}")


def _zone(name: object) -> ZoneInfo:
    if name is None:
        raise CalendarError(("timezone",), "the time zone is missing", "an IANA name, such as Europe/London")
    try:
        return ZoneInfo(str(name))
    except (KeyError, ValueError, OSError):
        near = get_close_matches(str(name)[:60], available_timezones(), n=1)
        instead = near[0] if near else "an IANA name, such as Europe/London"
        raise CalendarError(("timezone",), f"there is no time zone {_shown(name)}", instead) from None


def _week(hours: object) -> tuple[tuple[Interval, ...], ...]:
    week: dict[int, tuple[Interval, ...]] = {}
    named: dict[int, object] = {}
    for key, text in _mapping(hours, ("hours",), 'days and hours, such as mon-fri: "09:00-17:00"').items():
        intervals = _intervals(text, ("hours", key))
        for day in _days(key):
            if day in named:
                problem = f"{_DAY_NAMES[day]} is already named by {_shown(named[day])}"
                raise CalendarError(("hours", key), problem, "every day once, with all its intervals")
            week[day], named[day] = intervals, key
    weekly = tuple(week.get(day, ()) for day in range(7))
    for day, key in named.items():
        following = (day + 1) % 7
        if _run_over(weekly[day], weekly[following]):
            raise _overlap(("hours", key), _DAY_NAMES[day], _DAY_NAMES[following])
    return weekly


def _days(key: object) -> list[int]:
    """The weekdays, 0 for Monday, that "mon-fri", "sat" or "mon,wed" stands for; a range may pass Sunday."""
    days: list[int] = []
    for part in str(key).replace("\u2013", "-").split(","):
        first, dash, last = part.partition("-")
        begin = _weekday(first, key)
        end = _weekday(last, key) if dash else begin
        days += ((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return days


def _weekday(name: str, key: object) -> int:
    name = name.strip().lower()
    for number, day in enumerate(_DAY_NAMES):
        if len(name) >= 3 and day.startswith(name):
            return number
    raise CalendarError(("hours", key), f"{_shown(name)} is not a day", f"{_SHORT_NAMES}, or a range of them")


def _intervals(text: object, path: tuple[object, ...]) -> tuple[Interval, ...]:
    if isinstance(text, str) and text.strip().lower() == "closed":
        return ()
    intervals = sorted(_interval(part.strip(), path) for part in str(text).split(","))
    for (_, closes), (opens, _) in pairwise(intervals):
        if opens < closes:
            raise CalendarError(path, f"the intervals of {_shown(text)} overlap", "each hour once")
    return tuple(intervals)


def _interval(text: str, path: tuple[object, ...]) -> Interval:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise CalendarError(path, f"{_shown(text)} is not an interval", '"09:00-17:00" or the like, or closed')
    opens, closes = (_seconds(found.groups()[half : half + 3], path) for half in (0, 3))
    if opens in (closes, _DAY_SECONDS):
        problem = f"{_shown(text)} begins where it ends, or at the end of a day"
        raise CalendarError(path, problem, '"00:00-24:00" for a whole day, "00:00-06:00" for its first hours')
    return opens, closes if closes > opens else closes + _DAY_SECONDS


def _seconds(parts: Sequence[str | None], path: tuple[object, ...]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts)
    total = (hours * 60 + minutes) * 60 + seconds
    if minutes > 59 or seconds > 59 or total > _DAY_SECONDS:
        raise CalendarError(path, f"{hours:02}:{minutes:02} is not a time of day", "00:00 to 24:00")
    return total


def _run_over(earlier: Sequence[Interval], later: Sequence[Interval]) -> bool:
    """Whether the hours of a day go on past midnight into those of the day after it."""
    return bool(earlier and later) and earlier[-1][1] - _DAY_SECONDS > later[0][0]


def _overlap(path: tuple[object, ...], first: object, second: object) -> CalendarError:
    problem = f"the hours of {first} pass midnight and overlap those of {second}"
    return CalendarError(path, problem, "an earlier end or a later beginning")


def _closed_days(value: object) -> ClosedDays:
    example = "{country: GB, subdivision: ENG} or a list of dates, such as [2026-12-25]"
    if value and isinstance(value, Mapping):
        return _public(value)
    if value is not None and (isinstance(value, str) or not isinstance(value, Iterable)):
        raise CalendarError(("holidays",), f"{_shown(value)} is neither a country nor a list", example)
    dates, yearly = set(), set()
    for position, entry in enumerate(value or ()):
        path = ("holidays", position)
        if str(entry).startswith("*-"):
            every = _date("2000" + str(entry)[1:], path)
            yearly.add((every.month, every.day))
        else:
            dates.add(_date(entry, path))
    return ClosedDays(dates=frozenset(dates), yearly=frozenset(yearly))


def _public(table: Mapping[Any, Any]) -> ClosedDays:
    _refuse_unknown_keys(table, ("country", "subdivision"), ("holidays",))
    country = str(table.get("country") or "").upper()
    subdivision = str(table["subdivision"]) if table.get("subdivision") else None
    known = list_supported_countries()
    if country not in known:
        problem = f"there are no public holidays for {_shown(table.get('country'))}"
        raise CalendarError(("holidays", "country"), problem, "an ISO code, such as GB, or a list of dates")
    try:
        _public_holidays(country, subdivision, 2026)
    except NotImplementedError:
        problem = f"{country} has no part {_shown(subdivision)} with holidays of its own"
        instead = f"one of {', '.join(known[country])}" if known[country] else "the country alone"
        raise CalendarError(("holidays", "subdivision"), problem, instead) from None
    return ClosedDays(country=country, subdivision=subdivision)


def _date(value: object, path: tuple[object, ...]) -> date:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        day = date.min
    if isinstance(day, datetime) or not 1900 <= day.year <= 2999:
        raise CalendarError(path, f"{_shown(value)} is not a date", "year, month and day, such as 2026-12-24")
    return day


def _shown(value: object) -> str:
    text = repr(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."
