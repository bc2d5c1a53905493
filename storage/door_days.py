"""Counts by intake door and day: what was taken, kept and refused, and when something came last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage import wakes
from storage.tables import DoorDay

Counted = Literal["taken", "known", "queued", "kept", "passed_over", "refused"]
COUNTED: tuple[Counted, ...] = ("taken", "known", "queued", "kept", "passed_over", "refused")


def add(session: Session, door: str, counts: Mapping[Counted, int], *, now: datetime) -> None:
    """Adds to today's counts of this door. Nothing about the sender or what was sent is stored."""
    wakes.insert_once(session, DoorDay, door=door, day=now.date(), last_at=None, **dict.fromkeys(COUNTED, 0))
    more: dict[str, Any] = {name: getattr(DoorDay, name) + number for name, number in counts.items() if number}
    if "refused" not in counts:
        more["last_at"] = now
    session.execute(update(DoorDay).where(col(DoorDay.door) == door, col(DoorDay.day) == now.date()).values(more))


def lately(session: Session, *, now: datetime, days: int) -> list[DoorDay]:
    """Return the counts of the last days, by door and day."""
    query = select(DoorDay).where(col(DoorDay.day) > (now - timedelta(days=days)).date())
    return list(session.exec(query.order_by(col(DoorDay.door), col(DoorDay.day))))


def last_at(session: Session, door: str) -> datetime | None:
    """Return when something came through this door last; None if never."""
    query = select(DoorDay.last_at).where(DoorDay.door == door, col(DoorDay.last_at).is_not(None))
    return session.exec(query.order_by(col(DoorDay.day).desc()).limit(1)).first()
