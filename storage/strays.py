"""Strays: open handoffs that nothing would move. Each open handoff has a wake, a live lease, or an open wait with a next look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES, Stage
from storage import leases, trail, wakes
from storage.tables import Event, Handoff, Wait, Wake

#: This long after its end a lease is surely over, by any process's clock.
GRACE = timedelta(seconds=1)
#: How many open handoffs one call looks at.
LOOKED_AT = 500
#: The kind of the trail event that says a handoff was stranded.
STRANDED: Final = "stranded"
_MOVING_STAGES = [stage.value for stage in OPEN_STAGES if stage != Stage.STUCK]


def _without_a_wake() -> ColumnElement[bool]:
    return ~exists().where(col(Wake.handoff_id) == col(Handoff.id))


def dead_leases(session: Session, *, real: datetime, limit: int) -> list[tuple[int, int]]:
    """Handoff and epoch of attempts that died: the lease is over, and nothing would wake the handoff."""
    query = dead_query(real).with_only_columns(col(Handoff.id), col(Handoff.epoch)).limit(limit)
    return [(ident or 0, epoch) for ident, epoch in session.execute(query)]


def dead_query(real: datetime) -> Any:
    """A query for the ids of handoffs whose attempt died."""
    over = (col(Handoff.lease_until).is_not(None), col(Handoff.lease_until) < real - GRACE, _without_a_wake())
    return select(Handoff.id).where(*over).order_by(col(Handoff.lease_until))


def revive(session: Session, dead: Sequence[tuple[int, int]], *, now: datetime) -> int:
    """Wakes the handoffs whose attempt died; returns how many."""
    rows = [
        wakes.row(handoff_id, "revive", key=f"revive:{handoff_id}:{epoch}", not_before=now, urgency=wakes.Urgency.SOON)
        for handoff_id, epoch in dead
    ]
    return wakes.insert_new(session, Wake, rows)


def stranded(session: Session, *, after: int = 0, limit: int = LOOKED_AT) -> tuple[list[int], int]:
    """Open handoffs that break the rule above, by id, and the id to continue from. Those held, or stuck with an operator, rest on purpose.

    after: looks only at those with a higher id, and at no more than `limit`, so that many are checked little by little.
    """
    some = select(Handoff.id).where(col(Handoff.ended_at).is_(None), col(Handoff.id) > after).order_by(col(Handoff.id)).limit(limit)
    ids = [ident or 0 for ident in session.exec(some)]
    found = session.exec(_stranded().where(col(Handoff.id).in_(ids)).order_by(col(Handoff.id))) if ids else []
    return [ident or 0 for ident in found], ids[-1] if len(ids) == limit else 0


def rescued(session: Session) -> int:
    """How often a handoff was found stranded and was set moving again."""
    return session.exec(select(func.count()).select_from(Event).where(Event.kind == STRANDED)).one()


def _stranded() -> Any:
    looks = exists().where(col(Wait.handoff_id) == col(Handoff.id), col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    rule = and_(col(Handoff.lease_until).is_(None), _without_a_wake(), ~looks)
    return select(Handoff.id).where(col(Handoff.stage).in_(_MOVING_STAGES), col(Handoff.held).is_(False), rule)


def rescue(session: Session, handoff_id: int, *, now: datetime) -> bool:
    """Wakes a handoff if it is still stranded, and records that in the trail; `rescued` counts these records."""
    handoff = leases.locked(session, handoff_id)
    if session.exec(_stranded().where(col(Handoff.id) == handoff_id)).first() is None:
        return False
    trail.record(session, STRANDED, now=now, handoff=handoff, epoch=handoff.epoch)
    return wakes.add(session, handoff_id, "stranded", key=f"stranded:{handoff_id}:{handoff.epoch}", not_before=now)
