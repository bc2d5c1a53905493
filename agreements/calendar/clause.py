"""Read an entry under `calendars:` into opening hours and holidays, or find every mistake with its place.

The clause is plain mappings, lists and text, as any YAML reader returns them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from agreements.calendar.opening_hours import CLOSED, Interval, Week, intervals_of, overlap, run_over, week_of
from agreements.calendar.problems import CalendarError, Found, Path, Problem, mapping, shown
from agreements.calendar.public_holidays import ClosedDays, public_holidays

SpecialDays = tuple[tuple[date, tuple[Interval, ...]], ...]
"""Single dates in order, each with its intervals; none when it is closed."""

_KEYS = ("timezone", "hours", "holidays", "special_days")
_ONE_DAY = timedelta(days=1)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NOT_ZONES = frozenset({"Factory", "localtime"})  # files in the zone database that are no zones, or differ from machine to machine


class Reading(NamedTuple):
    """A clause as values."""

    timezone: ZoneInfo
    weekly: Week
    closed_on: ClosedDays
    special_days: SpecialDays


def read_clause(clause: Mapping[Any, Any]) -> Reading:
    """Read the clause. Raises CalendarError with every mistake in it."""
    clause = mapping(clause, (), "keys such as timezone and hours")
    found = Found()
    zone, weekly, closed_on = ZoneInfo("UTC"), CLOSED, ClosedDays()
    for key in clause:
        if key not in _KEYS:
            found.append(_unknown((key,), _KEYS))
    with found.noted():
        zone = _zone(clause.get("timezone"))
    with found.noted():
        weekly = week_of(clause.get("hours"), found)
    with found.noted():
        closed_on = _closed_days(clause.get("holidays"), found)
    special = _special_days(clause.get("special_days"), found)
    days = tuple(sorted((day, intervals) for _, day, intervals in special))
    found += _overlaps(special, weekly, closed_on, days)
    understood = not any(one.path[:1] in (("hours",), ("special_days",)) for one in found)
    if understood and not any(weekly) and not any(intervals for _, intervals in days):
        found.append(Problem(("hours",), "nothing is ever open", 'hours, such as mon-fri: "09:00-17:00"'))
    if found:
        raise CalendarError(*found[0], *found[1:])
    return Reading(zone, weekly, closed_on, days)


def hours_on(day: date, weekly: Week, closed_on: ClosedDays, special_days: SpecialDays) -> tuple[Interval, ...]:
    """Return the intervals that start on this date: special days win over holidays, holidays over weekly hours."""
    for special, intervals in special_days:
        if special == day:
            return intervals
    return () if day in closed_on else weekly[day.weekday()]


def _unknown(path: Path, known: Sequence[str]) -> Problem:
    return Problem(path, "no such key here", f"one of {', '.join(known)}")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return the names of all time zones. The machine's folder of them is read once per process."""
    return frozenset(available_timezones()) - _NOT_ZONES


def _zone(name: object) -> ZoneInfo:
    if name is None:
        raise CalendarError(("timezone",), "the time zone is missing", "an IANA name, such as Europe/London")
    if str(name) in zones():
        return ZoneInfo(str(name))
    near = get_close_matches(str(name)[:60], zones(), n=1)
    instead = near[0] if near else "an IANA name, such as Europe/London"
    raise CalendarError(("timezone",), f"there is no time zone {shown(name)}", instead)


def _special_days(value: object, found: Found) -> list[tuple[object, date, tuple[Interval, ...]]]:
    """Return each special day with its key in the file. A date without hours is closed."""
    days: dict[date, tuple[object, tuple[Interval, ...]]] = {}
    with found.noted():
        for key, hours in mapping(value, ("special_days",), '2026-12-24: "09:00-12:00"').items():
            with found.noted():
                path = ("special_days", key)
                day = _date(key, path)
                if day in days:
                    raise CalendarError(path, f"{day} occurs twice", "every date once, with all its intervals")
                days[day] = key, ()
                days[day] = key, intervals_of("closed" if hours in (None, "") else hours, path)
    return [(key, day, intervals) for day, (key, intervals) in days.items()]


def _overlaps(
    special: Iterable[tuple[object, date, tuple[Interval, ...]]], weekly: Week, closed_on: ClosedDays, days: SpecialDays
) -> Iterator[Problem]:
    for key, day, intervals in special:
        before, after = (hours_on(day + step * _ONE_DAY, weekly, closed_on, days) for step in (-1, 1))
        if run_over(before, intervals) and day - _ONE_DAY not in dict(days):  # if the day before is special, it reports the overlap itself
            yield overlap(("special_days", key), day - _ONE_DAY, day)
        if run_over(intervals, after):
            yield overlap(("special_days", key), day, day + _ONE_DAY)


def _closed_days(value: object, found: Found) -> ClosedDays:
    example = "{country: GB, subdivision: ENG} or a list of dates, such as [2026-12-25]"
    if value and isinstance(value, Mapping):
        return _public(value, found)
    if value is not None and (isinstance(value, str) or not isinstance(value, Iterable)):
        raise CalendarError(("holidays",), f"{shown(value)} is neither a country nor a list", example)
    dates, yearly = set(), set()
    for position, entry in enumerate(value or ()):
        path = ("holidays", position)
        with found.noted():
            if str(entry).startswith("*-"):
                every = _date("2000" + str(entry)[1:], path)
                yearly.add((every.month, every.day))
            else:
                dates.add(_date(entry, path))
    return ClosedDays(dates=frozenset(dates), yearly=frozenset(yearly))


def _public(table: Mapping[Any, Any], found: Found) -> ClosedDays:
    found += [_unknown(("holidays", key), ("country", "subdivision")) for key in table if key not in ("country", "subdivision")]
    from holidays import list_supported_countries  # only where a calendar names a country

    known = list_supported_countries()
    country = str(table.get("country") or "").strip().upper()
    if country not in known:
        problem = f"there are no public holidays for {shown(table.get('country'))}"
        unquoted = isinstance(table.get("country"), bool)  # some YAML readers turn NO into false
        instead = 'an ISO code in quotes, such as "NO"' if unquoted else "an ISO code, such as GB, or a list of dates"
        raise CalendarError(("holidays", "country"), problem, instead)
    subdivision = _subdivision(table.get("subdivision"), country, known[country])
    try:
        public_holidays(country, subdivision, 2026)
    except NotImplementedError:
        problem = f"{country} has no part {shown(subdivision)} with its own holidays"
        instead = f"one of {', '.join(known[country])}" if known[country] else "the country alone"
        raise CalendarError(("holidays", "subdivision"), problem, instead) from None
    return ClosedDays(country=country, subdivision=subdivision)


def _subdivision(value: object, country: str, known: Iterable[str]) -> str | None:
    """Return the subdivision as the library spells it: `eng` and `GB-ENG` mean ENG."""
    if value is None or value == "":
        return None
    code = str(value).strip()
    return next((one for one in known if code.upper() in (one.upper(), f"{country}-{one.upper()}")), code)


def _date(value: object, path: Path) -> date:
    day = date.min
    if isinstance(value, date) and not isinstance(value, datetime):
        day = value
    elif _DATE.fullmatch(text := str(value).strip()):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = date.min
    if not 1900 <= day.year <= 2999:
        raise CalendarError(path, f"{shown(value)} is not a date", "year, month and day, such as 2026-12-24")
    return day
