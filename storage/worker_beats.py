"""The signs of life of the workers. All instants are real time, so a leap of Baton's time changes nothing here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from storage import wakes
from storage.tables import WorkerBeat

#: A worker that was not heard for so long does not come back under its name.
FORGOTTEN_AFTER = timedelta(days=1)


def beat(session: Session, by: str, *, real: datetime, ticked_at: datetime, prefect_away_since: datetime | None) -> None:
    """Stores that this worker lives. Call inside a write transaction."""
    row: dict[str, Any] = {"beat_at": real, "ticked_at": ticked_at, "prefect_away_since": prefect_away_since}
    if not wakes.insert_once(session, WorkerBeat, by=by, **row):
        session.execute(update(WorkerBeat).where(col(WorkerBeat.by) == by).values(**row))


def forget(session: Session, *, real: datetime) -> None:
    """Deletes workers that were not heard for a day, except the newest: it shows since when there is none."""
    newest = select(func.max(WorkerBeat.beat_at)).scalar_subquery()
    session.execute(delete(WorkerBeat).where(col(WorkerBeat.beat_at) < real - FORGOTTEN_AFTER, col(WorkerBeat.beat_at) < newest))


def known(session: Session) -> list[WorkerBeat]:
    """The workers, the newest sign of life first."""
    return list(session.exec(select(WorkerBeat).order_by(col(WorkerBeat.beat_at).desc())))


def prefect_is_away(beats: list[WorkerBeat], *, real: datetime, alive_for: timedelta) -> bool:
    """Whether no worker that lives can reach the Prefect server; False where none lives."""
    alive = [one for one in beats if real - one.ticked_at <= alive_for]
    return bool(alive) and all(one.prefect_away_since is not None for one in alive)
