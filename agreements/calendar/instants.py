"""Instants and the stretches between them, in UTC. Nothing here uses a calendar or reads a clock."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

Span = tuple[datetime, datetime]
"""An instant and a later one. Pauses have this form too."""

FIRST = datetime.min.replace(tzinfo=UTC)
LAST = datetime.max.replace(tzinfo=UTC)


class NaiveDatetime(ValueError):
    """The instant has no time zone; give it an offset, such as 2026-12-01T09:00:00+00:00."""

    def __str__(self) -> str:
        naive = self.args[0].isoformat()
        return f"{naive} has no time zone; write an offset, as in {naive}+00:00"


def as_utc(at: datetime) -> datetime:
    """Return the same instant in UTC. A skipped local time moves forward; a repeated one with fold 0 is the first.

    Raises: NaiveDatetime if the instant has no zone; ValueError outside the years 2 to 9998.
    """
    if at.utcoffset() is None:
        raise NaiveDatetime(at)
    if not 2 <= at.year <= 9998:
        raise ValueError(f"{at.isoformat()} is out of reach; write an instant in the years 2 to 9998")
    return at.astimezone(UTC)


def read_instant(text: str, zone: ZoneInfo) -> tuple[datetime, str]:
    """Read an instant. Return it aware, with the assumption made, in words; empty if none was needed.

    text: ISO 8601, such as 2026-05-01T16:30+01:00. Without an offset, the text is local time in the zone.
    Raises: ValueError, which says what to write instead.
    """
    example = f"write an instant such as 2026-05-01T16:30+01:00, or without the offset for local time in {zone.key}"
    text = text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no instant; {example}") from None
    if len(text) <= len("2026-05-01"):
        raise ValueError(f"{text!r} has no time of day; {example}")
    if not 1900 <= at.year <= 2999:
        raise ValueError(f"{text!r} is out of reach; write an instant in the years 1900 to 2999")
    if at.tzinfo is not None:
        return as_utc(at), ""
    local = at.replace(tzinfo=zone)
    settled = as_utc(local).astimezone(zone)
    if settled.replace(tzinfo=None) != at:
        return settled, f"{at:%H:%M} does not exist in {zone.key} on that day; {settled:%H:%M} is taken"
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        return settled, f"{at:%H:%M} comes twice in {zone.key} on that day; the first is taken"
    return settled, f"read as local time in {zone.key}"


def in_order(pauses: Iterable[Span]) -> list[Span]:
    """Return the pauses in UTC, earliest first; they may overlap.

    Raises: NaiveDatetime; ValueError for a pause that ends before it starts.
    """
    ordered = sorted((as_utc(paused), as_utc(resumed)) for paused, resumed in pauses)
    for paused, resumed in ordered:
        if resumed < paused:
            raise ValueError(f"the pause from {paused} ends before it starts, at {resumed}; swap the two")
    return ordered


def disjoint(spans: Iterable[Span], closed: datetime) -> tuple[Span, ...]:
    """Return the spans in order, each cut where it overlaps the one before it."""
    kept = []
    for opens, closes in sorted(spans):
        opens = max(opens, closed)
        if opens < closes:
            kept.append((opens, closes))
            closed = closes
    return tuple(kept)


def without(spans: Iterable[Span], uncounted: Sequence[Span]) -> list[Span]:
    """Return the spans without the uncounted spans. uncounted: earliest first; they may overlap."""
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


def length(spans: Iterable[Span]) -> timedelta:
    """Return the total length of the spans."""
    return sum((closes - opens for opens, closes in spans), timedelta())


def place(spans: Sequence[Span], after: timedelta) -> datetime:
    """Return the instant at which this much of the spans has passed: at a boundary, the closing, not the next opening."""
    for opens, closes in spans[:-1]:
        if after <= closes - opens:
            return opens + after
        after -= closes - opens
    return spans[-1][0] + after
