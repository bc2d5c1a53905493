"""The timeline of a lead that came to its end, as the tab Artifacts of its run shows it. Without personal data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from agreements.time_shares import duration

_HEAD = "| when | after | what happened |\n|---|---|---|"


def timeline_of(told: Sequence[tuple[datetime, str]], zone: ZoneInfo) -> str:
    """Return what happened as a Markdown table, empty where nothing did. told: Baton's time, aware, and a sentence; oldest first.

    The middle column says how much time passed since the line above.
    """
    if not told:
        return ""
    times = [at for at, _ in told]
    since = ["", *(duration(later - at) if later > at else "" for at, later in pairwise(times))]
    rows = (
        f"| {at.astimezone(zone):%a %d %b %Y %H:%M} | {after} | {text.replace('|', '/')} |"
        for (at, text), after in zip(told, since, strict=True)
    )
    whole = f"{duration(max(times) - min(times))} from the first line to the last. Times are in {zone.key}."
    return "\n".join([whole, "", _HEAD, *rows])
