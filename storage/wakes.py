"""The one outbox: who changes something that a run should act on adds a wake in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, SQLModel, col, select

from storage.tables import Wake

#: After this many real seconds a wake that was delivered and not read is delivered again.
AGAIN_AFTER_SECONDS = 30
#: Kinds of wakes: a lead begins that asked for nothing, one that asked by itself, one in line comes to its turn.
CAPTURE, REQUEST, TURN = "capture", "request", "turn"
CAN_WAIT = (CAPTURE, TURN)


def insert_once(session: Session, table: type[SQLModel], **values: Any) -> bool:
    """Inserts the row unless its unique key is there already; says whether it did."""
    shared = session.get_bind().dialect.name == "postgresql"
    new: Any = (postgresql if shared else sqlite).insert(table).values(**values).on_conflict_do_nothing()
    result: Any = session.execute(new, execution_options={"preserve_rowcount": True})
    return bool(result.rowcount)


def add(session: Session, handoff_id: int, kind: str, *, key: str, not_before: datetime) -> bool:
    """Asks that this handoff moves, not before that instant of Baton's time. The same key twice is one wake."""
    real = datetime.now(UTC)
    return insert_once(session, Wake, key=key, handoff_id=handoff_id, kind=kind, not_before=not_before, created_at=real, tries=0)


@dataclass(frozen=True, slots=True)
class Due:
    """A handoff to be moved, and the wakes that ask for it. can_wait: nobody asked for anything."""

    handoff_id: int
    wake_ids: tuple[int, ...]
    waiting_since: datetime
    tries: int
    can_wait: bool = False


def due(session: Session, *, now: datetime, real: datetime, limit: int = 500) -> list[Due]:
    """Handoffs with wakes to deliver: due in Baton's time, and not just delivered. One entry a handoff, oldest first, and last
    those that can wait: whoever asks for something is not behind a list that is being imported."""
    rows = session.exec(
        select(Wake)
        .where(
            col(Wake.not_before) <= now,
            col(Wake.delivered_at).is_(None) | (col(Wake.delivered_at) < real - timedelta(seconds=AGAIN_AFTER_SECONDS)),
        )
        .order_by(col(Wake.kind).in_(CAN_WAIT), col(Wake.id))
        .limit(limit)
    )
    grouped: dict[int, list[Wake]] = {}
    for row in rows:
        grouped.setdefault(row.handoff_id, []).append(row)
    return [
        Due(
            handoff_id,
            tuple(row.id or 0 for row in many),
            min(row.created_at for row in many),
            max(row.tries for row in many),
            all(row.kind in CAN_WAIT for row in many),
        )
        for handoff_id, many in grouped.items()
    ]


def under_way(session: Session, *, real: datetime) -> int:
    """How many handoffs were asked to move lately and have not begun."""
    lately = col(Wake.delivered_at) >= real - timedelta(seconds=AGAIN_AFTER_SECONDS)
    return session.exec(select(func.count(func.distinct(Wake.handoff_id))).where(lately)).one()


def mark_delivered(session: Session, wake_ids: Iterable[int], *, real: datetime) -> None:
    """Notes that a run was created or resumed for these wakes; they stay until an attempt has read them."""
    session.execute(
        update(Wake).where(col(Wake.id).in_(list(wake_ids))).values(delivered_at=real, tries=Wake.__table__.c.tries + 1)  # type: ignore[attr-defined]
    )


def count_try(session: Session, wake_ids: Iterable[int]) -> None:
    """Notes an attempt to deliver that did not succeed."""
    session.execute(update(Wake).where(col(Wake.id).in_(list(wake_ids))).values(tries=Wake.__table__.c.tries + 1))  # type: ignore[attr-defined]


def pending(session: Session, handoff_id: int, *, now: datetime) -> list[Wake]:
    """The wakes of one handoff that are due."""
    query = select(Wake).where(Wake.handoff_id == handoff_id, col(Wake.not_before) <= now).order_by(col(Wake.id))
    return list(session.exec(query))


def drop(session: Session, wake_ids: Iterable[int]) -> None:
    """Deletes the wakes that an attempt has read and acted on."""
    session.execute(delete(Wake).where(col(Wake.id).in_(list(wake_ids))))


def drop_all(session: Session, handoff_id: int) -> None:
    """Deletes every wake of a handoff that has ended, also those that would come later."""
    session.execute(delete(Wake).where(col(Wake.handoff_id) == handoff_id))
