"""Times in words, and whose a lead's time was, as a bar shows it at the terminal and on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from agreements.where_time_went import TimeParty


@dataclass(frozen=True, slots=True)
class TimeShare:
    """The part of one party. share: from 0 to 1 of the whole; before: the shares before it; words: how long it is."""

    party: TimeParty
    share: float
    before: float
    words: str


def time_shares(parts: Mapping[TimeParty, timedelta]) -> list[TimeShare]:
    """Return the parties that had some time, in the order of `parts`."""
    whole, before = sum(parts.values(), timedelta()), timedelta()
    shares = []
    for party, part in parts.items():
        if part:
            shares.append(TimeShare(party, part / whole, before / whole, duration(part)))
            before += part
    return shares


def duration(part: timedelta) -> str:
    """Return the two largest units of a time, such as `3 d 4 h`, `2 h 5 min`, `7 min` or `20 s`; one where the other would be 0."""
    seconds = round(part.total_seconds())
    if seconds < 1:
        return "less than 1 s"
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    days, rest = divmod(hours, 24)
    units = ((days, "d"), (rest, "h")) if days else ((hours, "h"), (minutes, "min"))
    return " ".join(f"{count} {unit}" for count, unit in units if count)


def so_far(part: timedelta) -> str:
    """Return how long something has lasted by now, for a sentence: as `duration` does, but below a minute without its seconds."""
    return "less than a minute" if part < timedelta(minutes=1) else duration(part)
