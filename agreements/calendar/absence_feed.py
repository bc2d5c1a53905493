"""Absence feed: read in somebody's own calendar (iCalendar, RFC 5545) when they are away. absence_event.py says which event means that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from agreements.calendar.absence_event import SHORTEST, aware, is_broken, may_mean_away, time_away
from agreements.calendar.instants import Span, as_utc
from agreements.errors import HandoffError

MAX_BYTES: Final = 5_000_000
"""Longest calendar that is read, in bytes."""
MAX_EVENTS: Final = 20_000
"""Most events of a calendar that is read."""
LONGEST: Final = timedelta(days=3 * 365)
"""An absence that goes on for longer than this after the asked time is taken to end then."""

_DAY = timedelta(days=1)
_FEWER = "publish fewer days of it"
_TOO_OFTEN = ("SECONDLY", "MINUTELY", "HOURLY")


class FeedUnreadable(HandoffError):  # noqa: N818 - errors here are named as states
    """A calendar feed cannot be read. The message says why and what to do, and quotes neither the calendar nor its address."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Whose calendar is read, and for which time. zone: of whole days and of times without a zone, by its IANA name.

    own: the person's e-mail address, which shows the invitations that they have declined. first, last: aware.
    """

    zone: str
    own: str
    first: datetime
    last: datetime


def read_absences(raw: bytes, asked: Reading) -> list[Span]:
    """Return the absences that touch the asked time, in order and without overlaps, in UTC.

    Raises FeedUnreadable if any event that could mean an absence is wrong: half a calendar is never taken. A hostile calendar can
    take long to calculate, so tasks/feeds/reading.py calls this in a process with limits.
    """
    _refuse_what_is_no_calendar(raw)
    from icalendar import Calendar  # imported here: only the reader of a feed needs it

    try:
        found = Calendar.from_ical(raw, multiple=True)
    except Exception as error:  # strangers write calendars: an error of a parser means an unreadable calendar, not a fault of ours
        raise FeedUnreadable(f"its calendar cannot be taken apart ({type(error).__name__}); export it anew") from error
    try:
        spans = [(as_utc(start), as_utc(end)) for calendar in found for start, end in _of_calendar(calendar, asked)]
    except FeedUnreadable:
        raise
    except Exception as error:  # a zone or a rule that the library cannot calculate with
        raise FeedUnreadable(f"the dates of an event cannot be calculated ({type(error).__name__}); correct or delete it") from error
    return list(_merged(spans))


def _refuse_what_is_no_calendar(raw: bytes) -> None:
    if len(raw) > MAX_BYTES:
        raise FeedUnreadable(f"its calendar is longer than {MAX_BYTES:,} bytes; {_FEWER}")
    text = raw.removeprefix(b"\xef\xbb\xbf").strip().upper()
    if not text.startswith(b"BEGIN:VCALENDAR"):
        what = "a web page" if b"<HTML" in text[:2000] or text.startswith(b"<!DOCTYPE") else "something else" if text else "nothing"
        raise FeedUnreadable(f"the address shows {what} instead of a calendar; copy the secret address in iCal format (.ics) anew")
    if not text.endswith(b"END:VCALENDAR"):
        raise FeedUnreadable("its calendar is cut off before the end; check the service that publishes it")
    events = text.count(b"\nBEGIN:VEVENT")
    if events > MAX_EVENTS:
        raise FeedUnreadable(f"its calendar has {events:,} events, more than {MAX_EVENTS:,}; {_FEWER}")
    if events != text.count(b"\nEND:VEVENT"):
        raise FeedUnreadable("its calendar has an event without a beginning or an end; export it anew")


def _of_calendar(calendar: Any, asked: Reading) -> Iterator[Span]:
    import recurring_ical_events

    zone = ZoneInfo(asked.zone)
    yield from _free_busy(calendar, asked, zone)
    candidates = list(_candidates(calendar))
    yield from _within(asked, zone, (one for series in candidates if not _repeats(series) for one in series))
    calendar.subcomponents = [*_zones(calendar), *(one for series in candidates if _repeats(series) for one in series)]
    yield from _within(asked, zone, recurring_ical_events.of(calendar).between(asked.first - _DAY, asked.last + _DAY))


def _zones(calendar: Any) -> list[Any]:
    return [one for one in calendar.subcomponents if one.name == "VTIMEZONE"]


def _within(asked: Reading, zone: tzinfo, events: Iterable[Any]) -> Iterator[Span]:
    for one in events:
        if (span := time_away(one, asked.own, zone)) and _touches(span, asked):
            yield span[0], min(span[1], asked.last + LONGEST)


def _touches(span: Span, asked: Reading) -> bool:
    return span[1] > asked.first and span[0] < asked.last


def _candidates(calendar: Any) -> Iterator[list[Any]]:
    """The events that may mean away, each with all exceptions of its series. Raises FeedUnreadable for a wrong one."""
    series: dict[str, list[Any]] = {}
    for number, event in enumerate(calendar.walk("VEVENT")):
        series.setdefault(str(event.get("UID", f"#{number}")), []).append(event)
    for events in series.values():
        if any(map(may_mean_away, events)):
            for one in events:
                _refuse_what_is_absurd(one)
            yield events


def _repeats(series: list[Any]) -> bool:
    return len(series) > 1 or any(name in series[0] for name in ("RRULE", "RDATE", "RECURRENCE-ID"))


def _refuse_what_is_absurd(event: Any) -> None:
    if is_broken(event):
        raise FeedUnreadable("an event has a date or a rule that nobody can read; correct or delete it in the calendar")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        frequency, times_a_day = "".join(map(str, rule.get("FREQ", ""))).upper(), 1
        for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
            given = rule.get(part, 1)
            times_a_day *= len(given) if isinstance(given, list) else 1
        if frequency in _TOO_OFTEN or times_a_day > 1:
            raise FeedUnreadable("an absence is repeated more than once a day; correct or delete it in the calendar")


def _free_busy(calendar: Any, asked: Reading, zone: tzinfo) -> Iterator[Span]:
    """The times that a calendar without events (VFREEBUSY) marks as out of office."""
    for block in calendar.walk("VFREEBUSY"):
        given = block.get("FREEBUSY", [])
        for one in given if isinstance(given, list) else [given]:
            if str(getattr(one, "params", {}).get("FBTYPE", "")).upper() == "BUSY-UNAVAILABLE":
                span = aware(one.start, zone), aware(one.end, zone)
                if span[1] - span[0] >= SHORTEST and _touches(span, asked):
                    yield span


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans in order. Those that overlap or touch are one."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current is not None and start <= current[1]:
            current = (current[0], max(current[1], end))
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current
