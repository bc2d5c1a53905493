"""The figures of the week so far: kept beside the leads, so that a page reads one row and does not count."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from agreements.review.this_week import ThisWeek
from storage.tables import WeekCount
from storage.wakes import insert_once

#: The pause between two counts, and how long a process that counts is left alone.
PAUSE = timedelta(minutes=15)


def due(session: Session, agreements: Collection[str], *, now: datetime) -> list[str]:
    """The agreements of these whose figures are to be counted, by name. now: aware."""
    fresh = session.exec(select(WeekCount).where(col(WeekCount.agreement).in_(agreements), ~_is_due(now)))
    return sorted(set(agreements) - {row.agreement for row in fresh})


def begin(session: Session, agreement: str, *, now: datetime) -> bool:
    """Keep other processes from counting this agreement for a while; False where another one counts. Call in a write transaction."""
    times = {"counted_at": now, "next_at": now + PAUSE}
    if insert_once(session, WeekCount, agreement=agreement, figures="", **times):
        return True
    taken: Any = session.execute(update(WeekCount).where(col(WeekCount.agreement) == agreement, _is_due(now)).values(**times))
    return bool(taken.rowcount)


def keep(session: Session, found: ThisWeek, *, again_at: datetime) -> None:
    """Store the figures. again_at: from when they are counted again, aware. Call in a write transaction."""
    row = update(WeekCount).where(col(WeekCount.agreement) == found.agreement)
    session.execute(row.values(next_at=again_at, figures=found.model_dump_json()))


def every(session: Session) -> list[ThisWeek]:
    """The figures of each agreement by name, as they were counted last."""
    rows = session.exec(select(WeekCount.figures).where(WeekCount.figures != "").order_by(col(WeekCount.agreement)))
    return [ThisWeek.model_validate_json(text, extra="ignore") for text in rows]


def _is_due(now: datetime) -> Any:
    """A count that lies in the future is from before the clock was set back."""
    return or_(col(WeekCount.next_at) <= now, col(WeekCount.counted_at) > now)
