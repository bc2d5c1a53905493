"""The one outbox. Code that changes something a run should act on adds a wake in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import delete, func, update
from sqlalchemy.dialects import sqlite
from sqlmodel import Session, SQLModel, col, select

from storage import held
from storage.tables import Handoff, Wake, WakeKind

#: A wake that was handed over and not read is handed over again after this many real seconds.
AGAIN_AFTER_SECONDS = 30
#: Kinds of wakes: a lead begins that asked for nothing; a lead begins that asked for a demo; a lead in the queue gets its turn.
CAPTURE: Final = "capture"
REQUEST: Final = "request"
TURN: Final = "turn"
CAN_WAIT: tuple[WakeKind, ...] = (CAPTURE, TURN)


class Urgency(IntEnum):
    """The order of wakes: leads that asked for a demo first, then all other moves, then leads that can wait."""

    HOT = 0
    SOON = 1
    LATER = 2


def insert_once(session: Session, table: type[SQLModel], **values: Any) -> bool:
    """Inserts the row unless its unique key exists already; True if it did."""
    return insert_new(session, table, [values]) == 1


def insert_new(session: Session, table: type[SQLModel], rows: Sequence[dict[str, Any]]) -> int:
    """Inserts those rows whose unique key does not exist yet, in one statement; returns how many."""
    if not rows:
        return 0
    shared = session.get_bind().dialect.name == "postgresql"
    key = next(iter(table.__table__.primary_key))  # type: ignore[attr-defined]
    new: Any = (_postgresql_insert() if shared else sqlite.insert)(table).on_conflict_do_nothing().returning(key)
    return len(session.execute(new, list(rows)).all())


def _postgresql_insert() -> Any:
    from sqlalchemy.dialects import postgresql  # only where the database is PostgreSQL

    return postgresql.insert


def row(handoff_id: int, kind: WakeKind, *, key: str, not_before: datetime, urgency: Urgency) -> dict[str, Any]:
    """The columns of a new wake, for callers that insert many at once."""
    known = {"key": key, "handoff_id": handoff_id, "kind": kind, "urgency": urgency.value, "not_before": not_before}
    return {**known, "created_at": datetime.now(UTC), "tries": 0}


def add(session: Session, handoff_id: int, kind: WakeKind, *, key: str, not_before: datetime) -> bool:
    """Asks for this handoff to move, not before that instant of Baton's time. The same key twice is one wake."""
    return insert_once(session, Wake, **row(handoff_id, kind, key=key, not_before=not_before, urgency=_urgency(session, handoff_id, kind)))


def _urgency(session: Session, handoff_id: int, kind: WakeKind) -> Urgency:
    if kind in CAN_WAIT:
        return Urgency.LATER
    if kind == REQUEST:
        return Urgency.HOT
    handoff = session.get(Handoff, handoff_id)
    return Urgency.HOT if handoff is not None and handoff.fast_lane else Urgency.SOON


@dataclass(frozen=True, slots=True)
class Due:
    """A handoff to be moved, and the wakes that ask for the move. can_wait: nobody asked for anything."""

    handoff_id: int
    wake_ids: tuple[int, ...]
    waiting_since: datetime
    tries: int
    can_wait: bool = False


def due(session: Session, *, now: datetime, real: datetime, which: Any, limit: int = 500) -> list[Due]:
    """Handoffs with wakes to hand over: due in Baton's time, and not handed over just now. One entry per handoff, the most urgent first.

    which: a condition on the handoffs, so that those that may not be moved do not use up the limit.
    """
    again = col(Wake.delivered_at).is_(None) | (col(Wake.delivered_at) < real - timedelta(seconds=AGAIN_AFTER_SECONDS))
    query = select(Wake).join(Handoff, col(Handoff.id) == col(Wake.handoff_id)).where(col(Wake.not_before) <= now, again, which)
    rows: list[Wake] = []
    for urgency in Urgency:  # one query per urgency, so that each reads in the order of an index
        if len(rows) < limit:
            some = query.where(col(Wake.urgency) == urgency.value).order_by(col(Wake.not_before), col(Wake.id))
            rows += session.exec(some.limit(limit - len(rows)))
    grouped: dict[int, list[Wake]] = {}
    for wake in rows:
        grouped.setdefault(wake.handoff_id, []).append(wake)
    return [
        Due(
            handoff_id,
            tuple(wake.id for wake in many),
            min(wake.created_at for wake in many),
            max(wake.tries for wake in many),
            all(wake.kind in CAN_WAIT for wake in many),
        )
        for handoff_id, many in grouped.items()
    ]


def under_way(session: Session, *, real: datetime) -> int:
    """How many handoffs were asked to move lately and have not begun to."""
    lately = col(Wake.delivered_at) >= real - timedelta(seconds=AGAIN_AFTER_SECONDS)
    return session.exec(select(func.count(func.distinct(Wake.handoff_id))).where(lately)).one()


def mark_delivered(session: Session, wake_ids: Iterable[int], *, real: datetime) -> None:
    """Records that a run was created or resumed for these wakes. They stay until an attempt has read them."""
    session.execute(
        update(Wake).where(col(Wake.id).in_(list(wake_ids))).values(delivered_at=real, tries=Wake.__table__.c.tries + 1)  # type: ignore[attr-defined]
    )


def was_handed_over(session: Session, handoff_id: int) -> bool:
    """Whether Baton created or resumed a run of this handoff, and no attempt has read the wake yet."""
    query = select(Wake.id).where(Wake.handoff_id == handoff_id, col(Wake.delivered_at).is_not(None))
    return session.exec(query.limit(1)).first() is not None


def count_try(session: Session, wake_ids: Iterable[int]) -> None:
    """Records a failed attempt to deliver."""
    session.execute(update(Wake).where(col(Wake.id).in_(list(wake_ids))).values(tries=Wake.__table__.c.tries + 1))  # type: ignore[attr-defined]


def pending(session: Session, handoff_id: int, *, now: datetime) -> list[Wake]:
    """The wakes of one handoff that are due."""
    if mine := held.of(session, handoff_id):
        return mine.pending
    return fresh(session, handoff_id, now=now)


def fresh(session: Session, handoff_id: int, *, now: datetime) -> list[Wake]:
    """The wakes of one handoff that are due at this moment, read anew even where the session holds the handoff."""
    query = select(Wake).where(Wake.handoff_id == handoff_id, col(Wake.not_before) <= now).order_by(col(Wake.id))
    return list(session.exec(query))


def drop(session: Session, wake_ids: Iterable[int]) -> None:
    """Deletes the wakes that an attempt has read and acted on."""
    if ids := list(wake_ids):
        held.drop(session, ids)
        session.execute(delete(Wake).where(col(Wake.id).in_(ids)), execution_options={"synchronize_session": False})


def drop_all(session: Session, handoff_id: int) -> None:
    """Deletes every wake of a handoff that has ended, also the later ones."""
    session.execute(delete(Wake).where(col(Wake.handoff_id) == handoff_id))
