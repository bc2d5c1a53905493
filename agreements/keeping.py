"""When the agreed time for keeping a lead's personal data, or the trail, ends."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agreements.model import Agreement


def personal_ends(agreement: Agreement, last_activity: datetime) -> datetime:
    """Return until when a lead's personal data is kept. last_activity: when the lead last did something, aware."""
    return last_activity + agreement.retention.personal


def shortest_personal(agreements: Iterable[Agreement]) -> timedelta | None:
    """Return the shortest time for which any of these agreements keeps personal data; None without agreements."""
    return min((one.retention.personal for one in agreements), default=None)


def longest_trail(agreements: Iterable[Agreement]) -> timedelta | None:
    """Return the longest time for which any of these agreements keeps the trail, which they share; None without agreements."""
    return max((one.retention.trail for one in agreements), default=None)
