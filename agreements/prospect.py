"""The prospect's clock: in which zones a lead may be, how long ago it asked and at what hour of its day, when both sides are awake."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from agreements.calendar.opening_hours import Week
from agreements.calendar.working_time import WorkingCalendar
from agreements.countries import country_code

#: Where the zone comes from: the lead told it, or it follows from the country or the telephone number.
Source = Literal["told", "country", "phone", ""]
#: Holidays and weekends are shorter. Two sides without a shared hour in this time never have one.
LOOK_AHEAD = timedelta(days=21)
#: Days that show the offsets of a zone in both halves of the year.
_HALVES = (datetime(2026, 1, 15, 12, tzinfo=UTC), datetime(2026, 7, 15, 12, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The zones in which a lead may be, one for each different offset; empty for unknown."""

    zones: tuple[str, ...] = ()
    source: Source = ""

    def local(self, at: datetime) -> tuple[datetime, ...]:
        """Return the times that the clocks there show at this aware instant, the earliest first, each once."""
        shown = {one.replace(tzinfo=None): one for one in (at.astimezone(ZoneInfo(name)) for name in self.zones)}
        return tuple(shown[one] for one in sorted(shown))


def whereabouts(*, told: object = "", country: str = "", phone: str = "") -> Whereabouts:
    """Return where a lead may be: the zone that it told, else the country's, narrowed by the telephone number where there are several."""
    return _whereabouts(told if isinstance(told, str) else "", country, phone)


@lru_cache(maxsize=4096)
def _whereabouts(told: str, country: str, phone: str) -> Whereabouts:
    if zone := _zone_of(told):
        return Whereabouts((zone,), "told")
    code = country_code(country)
    of_country = _zones_by_country().get(code, ())
    if len(of_country) == 1:
        return Whereabouts(of_country, "country")
    of_phone = _distinct(_zones_of_phone(phone, code)) if phone else ()
    if not of_country:
        return Whereabouts(of_phone, "phone") if of_phone else Whereabouts()
    there = {_offsets(name) for name in of_country}
    both = tuple(name for name in of_phone if _offsets(name) in there)
    return Whereabouts(both, "phone") if both and len(both) < len(of_country) else Whereabouts(of_country, "country")


def time_ago(at: datetime, now: datetime) -> str:
    """Return how long ago something was, closed hours included: `3 h 20 min ago`, `2 days 4 h ago`. Both are aware."""
    minutes = max(0, (now - at) // timedelta(minutes=1))
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    parts = [(days, f"day{'s' if days > 1 else ''}"), (hours, "h"), *([] if days else [(rest, "min")])]
    return f"{' '.join(f'{count} {unit}' for count, unit in parts if count)} ago" if minutes else "just now"


def clock_there(where: Whereabouts, at: datetime) -> str:
    """Return what the lead's clock showed at this aware instant: `Tue 18:40 their time`, or between which times; empty for unknown."""
    shown = where.local(at)
    if len(shown) < 2:
        return "".join(f"{one:%a %H:%M} their time" for one in shown)
    first, last = shown[0], shown[-1]
    return (
        f"between {first:%a %H:%M} and {last:%H:%M} their time"
        if first.date() == last.date()
        else (f"between {first:%a %H:%M} and {last:%a %H:%M} their time")
    )


def asked_words(where: Whereabouts, at: datetime, now: datetime) -> str:
    """Return since when the lead waits, from its side: `3 h 20 min ago, at Tue 18:40 their time`."""
    there = clock_there(where, at)
    words = f"at {there}" if there and not there.startswith("between") else there
    return f"{time_ago(at, now)}, {words or f'at {at.astimezone(UTC):%a %H:%M} UTC; their time zone is unknown'}"


@dataclass(frozen=True, slots=True)
class SharedHours:
    """The hours in which the rep is at work and the lead is awake.

    rep: None where the clock runs day and night. there: the lead's waking hours in each zone where it may be; none for unknown.
    """

    rep: WorkingCalendar | None
    there: tuple[WorkingCalendar, ...]

    def hold(self, at: datetime) -> bool:
        """Whether something may be due then: both sides are awake until this instant."""
        before = at - timedelta(seconds=1)
        return self._are_open(before, all) or (self._next(at, all) is None and self._are_open(before, any))

    def opening(self, at: datetime) -> datetime | None:
        """Return the next instant, not before this one, at which both sides are awake; None where they never are.

        Where the lead may be in several zones, it has to be awake in all of them; if there is no such hour, in one of them.
        """
        return self._next(at, all) or self._next(at, any)

    def _are_open(self, at: datetime, agree: Callable[[Iterable[bool]], bool]) -> bool:
        return (self.rep is None or self.rep.is_open(at)) and agree(calendar.is_open(at) for calendar in self.there)

    def _next(self, at: datetime, agree: Callable[[Iterable[bool]], bool]) -> datetime | None:
        choose, until = max if agree is all else min, at + LOOK_AHEAD
        while at <= until:
            openings = choose(calendar.next_opening(at) for calendar in self.there)
            later = max(openings, self.rep.next_opening(at)) if self.rep else openings
            if self._are_open(later, agree):
                return later
            at = max(later, at + timedelta(minutes=1))
        return None


def awake(where: Whereabouts, hours: Week) -> tuple[WorkingCalendar, ...]:
    """Return the calendars of these waking hours in the zones where the lead may be."""
    return tuple(_awake(zone, hours) for zone in where.zones)


@lru_cache(maxsize=512)
def _awake(zone: str, hours: Week) -> WorkingCalendar:
    return WorkingCalendar(ZoneInfo(zone), hours)


def _zone_of(told: str) -> str:
    """Return the zone of this name, written in any case; empty for a text that is none."""
    name = told.strip()
    if not name:
        return ""
    try:
        return ZoneInfo(_zone_names().get(name.casefold(), name)).key
    except (LookupError, OSError, ValueError):
        return ""


@cache
def _zone_table() -> tuple[tuple[str, str], ...]:
    """Return pairs of country and zone, from the table that comes with the zones."""
    from importlib.resources import files

    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return tuple((row[0], row[2]) for row in rows)


@cache
def _zone_names() -> Mapping[str, str]:
    return {zone.casefold(): zone for _, zone in _zone_table()}


@cache
def _zones_by_country() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = defaultdict(list)
    for country, zone in _zone_table():
        found[country].append(zone)
    return {country: _distinct(zones) for country, zones in found.items()}


def _zones_of_phone(phone: str, country: str) -> Sequence[str]:
    """Return the zones of a telephone number; country: where it belongs if it is written without a country code."""
    import phonenumbers
    from phonenumbers import timezone

    try:
        number = phonenumbers.parse(phone, country if len(country) == 2 else None)
    except phonenumbers.NumberParseException:
        return ()
    return [zone for zone in timezone.time_zones_for_number(number) if _zone_of(zone) and zone != timezone.UNKNOWN_TIMEZONE]


def _distinct(zones: Iterable[str]) -> tuple[str, ...]:
    """Return one zone for each pair of offsets in both halves of the year."""
    return tuple({_offsets(zone): zone for zone in reversed(list(zones))}.values())[::-1]


@cache
def _offsets(zone: str) -> tuple[timedelta | None, ...]:
    return tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in _HALVES)
