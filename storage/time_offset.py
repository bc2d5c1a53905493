"""Baton's time as a row that all processes read: real time, or real time plus the leaps that were made."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from storage.tables import ClockReading

#: A process uses its last reading for this many seconds, so after a leap all processes know of it within this time.
KNOWN_FOR_SECONDS = 0.25
#: How far ahead time was when this process last asked, and how long that stays good (monotonic seconds), by database.
_KNOWN: dict[str, tuple[float, timedelta]] = {}


def ahead_at(session: Session, real: datetime) -> timedelta:
    """How far Baton's time was ahead of real time at that real instant; zero where it never leapt."""
    row = session.exec(select(ClockReading).where(col(ClockReading.real_at) <= real).order_by(col(ClockReading.id).desc()).limit(1)).first()
    return timedelta(seconds=row.ahead_seconds) if row else timedelta(0)


def now_ahead(session: Session, real: datetime) -> timedelta:
    """How far it is ahead now. Each process reads the row a few times a second: only a demo's time leaps."""
    database = str(session.get_bind().engine.url)
    until, ahead = _KNOWN.get(database, (0.0, timedelta(0)))
    if time.monotonic() < until:
        return ahead
    ahead = ahead_at(session, real)
    _KNOWN[database] = (time.monotonic() + KNOWN_FOR_SECONDS, ahead)
    return ahead


def has_leapt(session: Session) -> bool:
    """Whether Baton's time ever leapt ahead here, as in the demo."""
    return session.exec(select(ClockReading.id).where(col(ClockReading.ahead_seconds) > 0).limit(1)).first() is not None


def leap_to(session: Session, target: datetime) -> None:
    """Makes Baton's time jump to target (aware) and run on from there. Never goes back: an earlier target changes nothing.

    This process knows at once, others after KNOWN_FOR_SECONDS.
    """
    real = datetime.now(UTC)
    ahead = target - real
    if session.exec(select(ClockReading.id).limit(1)).first() is None or ahead > ahead_at(session, real):
        session.add(ClockReading(real_at=real, ahead_seconds=ahead.total_seconds()))
        session.flush()
    _KNOWN.pop(str(session.get_bind().engine.url), None)
