"""How long things are kept: when the time that was agreed for a lead, or for the trail, is over."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from agreements.model import Agreement


def personal_ends(agreement: Agreement, last_activity: datetime) -> datetime:
    """Until when what is personal of a lead is kept. last_activity: when the lead last did something, aware."""
    return last_activity + agreement.retention.personal


def shortest_personal(agreements: Iterable[Agreement]) -> timedelta | None:
    """The shortest time for which any of these keeps what is personal; None where there are none."""
    return min((one.retention.personal for one in agreements), default=None)


def longest_trail(agreements: Iterable[Agreement]) -> timedelta | None:
    """The longest time for which any of these keeps the trail, which is one for all of them; None where there are none."""
    return max((one.retention.trail for one in agreements), default=None)
