"""Baton's time as a row that all processes read: real time, or real time and what it was made to leap."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from storage.tables import ClockReading

#: Databases whose time has never leapt, each until when (monotonic seconds) that need not be asked again.
_NEVER_LEAPT: dict[str, float] = {}


def ahead_at(session: Session, real: datetime) -> timedelta:
    """How far Baton's time ran ahead of real time at that real instant; nothing where it never leapt."""
    row = session.exec(select(ClockReading).where(col(ClockReading.real_at) <= real).order_by(col(ClockReading.id).desc()).limit(1)).first()
    return timedelta(seconds=row.ahead_seconds) if row else timedelta(0)


def now_ahead(session: Session, real: datetime) -> timedelta:
    """The same for the present. Where time never leapt, that is asked once a process and second; only a demo's time leaps."""
    database = str(session.get_bind().engine.url)
    if time.monotonic() < _NEVER_LEAPT.get(database, 0.0):
        return timedelta(0)
    ahead = ahead_at(session, real)
    if not ahead and session.exec(select(ClockReading.id).limit(1)).first() is None:
        _NEVER_LEAPT[database] = time.monotonic() + 1.0
    return ahead


def leap_to(session: Session, target: datetime) -> None:
    """Makes Baton's time jump to target (aware) and run on from there. Never backwards: an earlier target changes nothing."""
    real = datetime.now(UTC)
    ahead = target - real
    _NEVER_LEAPT.pop(str(session.get_bind().engine.url), None)
    if session.exec(select(ClockReading.id).limit(1)).first() is None or ahead > ahead_at(session, real):
        session.add(ClockReading(real_at=real, ahead_seconds=ahead.total_seconds()))
