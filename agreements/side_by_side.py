"""Several versions and agreements side by side: which one applies when and to which lead, and which of them conflict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Self
from zoneinfo import ZoneInfo

from agreements.fields import stated
from agreements.model import Agreement
from agreements.overlap import lead_for_both


@dataclass(frozen=True, slots=True)
class Window:
    """When a version may apply: from begins (included) until ends (not included; None for no end). Instants are aware."""

    version: int
    begins: datetime
    ends: datetime | None = None

    @classmethod
    def of(cls, agreement: Agreement) -> Self:
        """Return the window in the agreement's `effective` clause: whole days in its own zone."""
        zone, days = ZoneInfo(agreement.timezone), agreement.effective
        return cls(agreement.version, _midnight(days.from_, zone), _midnight(days.until, zone) if days.until else None)

    def covers(self, at: datetime) -> bool:
        """Whether the version may apply at that instant."""
        return self.begins <= at and (self.ends is None or at < self.ends)


Stretch = tuple[datetime, datetime | None]


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(0), tzinfo=zone)


def counting(windows: Iterable[Window], at: datetime) -> Window | None:
    """Return the version of one agreement that applies at that instant: the last one to begin, None if none applies."""
    return max((one for one in windows if one.covers(at)), key=lambda one: (one.begins, one.version), default=None)


def stretches(windows: Sequence[Window], version: int) -> list[Stretch]:
    """Return the times in which this version, of all versions of its agreement, is the one that applies, in order."""
    edges = sorted({one.begins for one in windows} | {one.ends for one in windows if one.ends})
    found: list[Stretch] = []
    for start, end in zip(edges, [*edges[1:], None], strict=True):
        now = counting(windows, start)
        if now is None or now.version != version:
            continue
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def meet(some: Iterable[Stretch], others: Sequence[Stretch], *, since: datetime) -> datetime | None:
    """Return the first instant from `since` on that lies in a stretch of both, None for none."""
    found = []
    for begins, ends in some:
        for other_begins, other_ends in others:
            start = max(begins, other_begins, since)
            if all(end is None or start < end for end in (ends, other_ends)):
                found.append(start)
    return min(found, default=None)


def clash(new: Window, earlier: Window, *, name: str, zone: str) -> str:
    """Return why these two versions of one agreement conflict, and which day to write instead; empty if they do not.

    A version may replace the earlier one, lie within its time, or lie outside it. new: the version with the higher number.
    """
    later, before = f"{name}@{new.version}", f"{name}@{earlier.version}"
    first, earlier_first = _day(new.begins, zone), _day(earlier.begins, zone)
    if first == earlier_first:
        return f"{later} begins on {first}, as {before} does. Write a later day under `effective: from`."
    if new.begins < earlier.begins:
        return (
            f"{later} begins on {first}, before {before}, which has the lower number and begins on {earlier_first}."
            f" Write a day after {earlier_first} under `effective: from`."
        )
    if earlier.ends is None or new.begins >= earlier.ends or (new.ends is not None and new.ends <= earlier.ends):
        return ""
    last = _day(earlier.ends, zone)
    return (
        f"{later} begins on {first}, within the time of {before}, and goes on after it ends on {last}."
        f" Write `from: {last}` or a later day, or `until: {last}` or an earlier one."
    )


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()


def chosen(agreements: Iterable[Agreement], values: Mapping[str, Any]) -> Agreement | None:
    """Choose from the agreements in force the one that applies to a lead with these facts (as they came), else the default."""
    by_name = sorted(agreements, key=lambda one: one.agreement)
    own = (one for one in by_name if _is_own(one) and one.applies_to.holds(stated(one, values)))
    return next(own, None) or next((one for one in by_name if one.is_default), None)


def _is_own(agreement: Agreement) -> bool:
    """Whether the agreement takes leads by `applies_to`, not only those that no other agreement takes."""
    return bool(agreement.applies_to.tests) or not agreement.is_default


def rivalry(one: Agreement, other: Agreement) -> str:
    """Return why these two agreements cannot be in force together, with a lead that matches both; empty if they can."""
    if one.is_default and other.is_default:
        return f"Both {one.reference} and {other.reference} take the leads that no other agreement is for. Write `default: false` in one."
    if not (_is_own(one) and _is_own(other)):
        return ""
    lead = lead_for_both(one.applies_to, other.applies_to, readings=(one.fields, other.fields))
    if lead is None:
        return ""
    shown = ", ".join(f"{field} {value}" for field, value in lead.items()) or "any lead"
    return (
        f"A lead could match both {one.reference} ({one.applies_to}) and {other.reference} ({other.applies_to}): {shown}."
        " Narrow `applies_to` so that each lead has one agreement."
    )
