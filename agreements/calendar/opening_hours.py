"""Read opening hours: days such as "mon-fri", intervals such as "09:00-12:30, 13:30-17:30"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from agreements.calendar.problems import CalendarError, Found, Path, Problem, mapping, shown

Interval = tuple[int, int]
"""Opening and closing, in seconds of wall-clock time after the midnight a day begins with; may pass 24 h."""
Week = tuple[tuple[Interval, ...], ...]
"""The intervals of Monday to Sunday."""

DAY_SECONDS = 24 * 60 * 60
CLOSED: Week = ((),) * 7
_DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORT_NAMES = ", ".join(name[:3] for name in _DAY_NAMES)
_DASH = "[-\u2010-\u2015\u2212]"
_INTERVAL = re.compile(rf"(\d{{1,2}}):(\d\d)(?::(\d\d))?\s*{_DASH}\s*(\d{{1,2}}):(\d\d)(?::(\d\d))?", re.ASCII)


def week_of(hours: object, found: Found) -> Week:
    """Read a mapping of days to intervals as a week. Mistakes are added to found, and the rest is read."""
    week: dict[int, tuple[Interval, ...]] = {}
    named: dict[int, object] = {}
    for key, value in mapping(hours, ("hours",), 'days and hours, such as mon-fri: "09:00-17:00"').items():
        intervals: tuple[Interval, ...] = ()
        with found.noted():
            intervals = intervals_of(value, ("hours", key))
        with found.noted():
            for day in _days(key):
                if day in named:
                    problem = f"{_DAY_NAMES[day]} is already named by {shown(named[day])}"
                    raise CalendarError(("hours", key), problem, "every day once, with all its intervals")
                week[day], named[day] = intervals, key
    weekly = tuple(week.get(day, ()) for day in range(7))
    overlaps: dict[object, Problem] = {}
    for day, key in named.items():
        following = (day + 1) % 7
        if run_over(weekly[day], weekly[following]):
            overlaps.setdefault(key, overlap(("hours", key), _DAY_NAMES[day], _DAY_NAMES[following]))
    found.extend(overlaps.values())
    return weekly


def _days(key: object) -> list[int]:
    """Return the weekdays (0 is Monday) of "mon-fri", "sat" or "mon,wed". A range may pass Sunday."""
    days: list[int] = []
    for part in re.split("[,+]", re.sub(_DASH, "-", str(key))):
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
    raise CalendarError(("hours", key), f"{shown(name)} is not a day", f"{_SHORT_NAMES}, or a range of them")


def intervals_of(value: object, path: Path) -> tuple[Interval, ...]:
    """Read intervals from text or a list of texts. `closed` and an empty list give none."""
    parts = [str(part) for part in value] if isinstance(value, (list, tuple)) else str(value).split(",")
    if [part.strip().lower() for part in parts] in ([], ["closed"]):
        return ()
    intervals = sorted(_interval(part.strip(), path) for part in parts)
    for (_, closes), (opens, _) in pairwise(intervals):
        if opens < closes:
            raise CalendarError(path, f"the intervals of {shown(value)} overlap", "each hour once")
    return tuple(intervals)


def _interval(text: str, path: Path) -> Interval:
    found = _INTERVAL.fullmatch(text)
    if found is None:
        raise CalendarError(path, f"{shown(text)} is not an interval", '"09:00-17:00" or the like, or closed')
    opens, closes = (_seconds(found.groups()[half : half + 3], path) for half in (0, 3))
    if opens in (closes, DAY_SECONDS):
        problem = f"{shown(text)} begins where it ends, or at the end of a day"
        raise CalendarError(path, problem, '"00:00-24:00" for a whole day, "00:00-06:00" for its first hours')
    return opens, closes if closes > opens else closes + DAY_SECONDS


def _seconds(parts: Sequence[str | None], path: Path) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts)
    total = (hours * 60 + minutes) * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY_SECONDS:
        raise CalendarError(path, f"{hours:02}:{minutes:02} is not a time of day", "00:00 to 24:00")
    return total


def run_over(earlier: Sequence[Interval], later: Sequence[Interval]) -> bool:
    """Whether a day's hours pass midnight and overlap the hours of the day after it."""
    return bool(earlier and later) and earlier[-1][1] - DAY_SECONDS > later[0][0]


def overlap(path: Path, first: object, second: object) -> Problem:
    """Return the problem of two consecutive days whose hours overlap."""
    problem = f"the hours of {first} pass midnight and overlap those of {second}"
    return Problem(path, problem, "an earlier end or a later beginning")
