"""Leases: which process carries out a handoff, and which handoffs may be carried out now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, not_, or_, select, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col

from agreements.errors import StaleHandoff
from agreements.lifecycle import Stage
from storage import held, waits, wakes
from storage.held import Held
from storage.tables import Handoff, Lead, Wake

LEASE_SECONDS = 30
#: Failed attempts before an operator has to look.
MAX_FAILURES = 5
#: The longest back-off for a handoff that cannot be moved, in seconds.
LONGEST_PUT_OFF = 300


class Over(NamedTuple):
    """A lease to give back. told: the number of the newest event that the attempt told in Prefect, 0 where it told nothing."""

    handoff_id: int
    epoch: int
    told: int = 0


def take(session: Session, handoff_id: int, *, by: str, real: datetime) -> int | None:
    """Takes the lease. Returns the new epoch, or None while another attempt holds the lease. real: real time, aware."""
    taken: Any = session.execute(
        update(Handoff)
        .where(col(Handoff.id) == handoff_id, is_free(real))
        .values(epoch=col(Handoff.epoch) + 1, lease_by=by, lease_until=real + timedelta(seconds=LEASE_SECONDS))
    )
    return session.execute(select(col(Handoff.epoch)).where(col(Handoff.id) == handoff_id)).scalar_one() if taken.rowcount else None


def claim_due(session: Session, *, by: str, now: datetime, real: datetime, room: int) -> list[Handoff]:
    """Takes the lease of up to `room` handoffs with a due wake, the most urgent first; each has its new epoch.

    Loads each lead too. On PostgreSQL another claim skips what this one has locked; on SQLite there is one writer.
    """
    found: dict[int, Handoff] = {}
    for urgency in wakes.Urgency:
        if len(found) < room:
            for handoff in _due(session, urgency, now=now, real=real, limit=4 * room):
                if len(found) < room:
                    found.setdefault(handoff.id, handoff)
    if found:
        until = real + timedelta(seconds=LEASE_SECONDS)
        session.execute(
            update(Handoff)
            .where(col(Handoff.id).in_(list(found)))
            .values(epoch=col(Handoff.epoch) + 1, lease_by=by, lease_until=until)
            .execution_options(synchronize_session=False)
        )
        for handoff in found.values():
            set_committed_value(handoff, "epoch", handoff.epoch + 1)
            set_committed_value(handoff, "lease_until", until)
    return list(found.values())


def is_any_due(session: Session, *, now: datetime, real: datetime) -> bool:
    """Whether `claim_due` could take any handoff."""
    query = select(col(Wake.id)).join(Handoff, col(Handoff.id) == col(Wake.handoff_id))
    query = query.where(col(Wake.not_before) <= now, may_be_moved(real))
    first = [
        query.where(col(Wake.urgency) == urgency.value).order_by(col(Wake.not_before), col(Wake.id)).limit(1).scalar_subquery()
        for urgency in wakes.Urgency
    ]
    return any(ident is not None for ident in session.execute(select(*first)).one())


def _due(session: Session, urgency: wakes.Urgency, *, now: datetime, real: datetime, limit: int) -> Sequence[Handoff]:
    query = (
        select(Handoff, Lead)
        .join(Wake, col(Wake.handoff_id) == col(Handoff.id))
        .join(Lead, col(Lead.id) == col(Handoff.lead_id))
        .where(col(Wake.urgency) == urgency.value, col(Wake.not_before) <= now, may_be_moved(real))
        .order_by(col(Wake.not_before), col(Wake.id))
        .limit(limit)
        .with_for_update(of=Handoff, skip_locked=True, key_share=True)
    )
    return [handoff for handoff, _ in session.execute(query)]


def is_free(real: datetime) -> ColumnElement[bool]:
    """Whether nobody carries the handoff out."""
    return or_(col(Handoff.lease_until).is_(None), col(Handoff.lease_until) <= real)


def may_be_moved(real: datetime) -> ColumnElement[bool]:
    """Whether an attempt may begin: nobody carries the handoff out, and it is not held, backing off or given up."""
    rests = and_(col(Handoff.retry_at).is_not(None), col(Handoff.retry_at) > real)
    given_up = and_(col(Handoff.stage) == Stage.STUCK.value, col(Handoff.failures) >= MAX_FAILURES)
    return and_(is_free(real), not_(rests), col(Handoff.held).is_(False), not_(given_up))


def renew(session: Session, handoff_id: int, epoch: int, *, real: datetime) -> bool:
    """Extends the lease; False when it was lost or given back.

    A renewal under way cannot be stopped. It may come after the lease was given back, and would let the lead wait for nobody.
    """
    kept: Any = session.execute(
        update(Handoff)
        .where(col(Handoff.id) == handoff_id, col(Handoff.epoch) == epoch, col(Handoff.lease_until).is_not(None))
        .values(lease_until=real + timedelta(seconds=LEASE_SECONDS))
    )
    return bool(kept.rowcount)


def release(session: Session, leases: Sequence[Over]) -> None:
    """Gives leases back, and notes what their attempts told. A lease that was lost already stays as it is."""
    if leases:
        theirs = or_(*(and_(col(Handoff.id) == one.handoff_id, col(Handoff.epoch) == one.epoch) for one in leases))
        over = update(Handoff).where(theirs).values(lease_by="", lease_until=None)
        if told := {one.handoff_id: one.told for one in leases if one.told}:
            over = over.values(told_event=case(told, value=col(Handoff.id), else_=col(Handoff.told_event)))
        session.execute(over.execution_options(synchronize_session=False))


def put_off(session: Session, handoff_id: int, *, tries: int, real: datetime) -> None:
    """Backs off for longer each time the handoff could not be moved; the first retries follow at once."""
    if tries >= 2:
        seconds = min(LONGEST_PUT_OFF, 2 ** min(tries - 1, 10))
        session.execute(update(Handoff).where(col(Handoff.id) == handoff_id).values(retry_at=real + timedelta(seconds=seconds)))


def rest(session: Session, handoff_id: int, epoch: int, *, seconds: float, real: datetime) -> None:
    """Gives a lease back and leaves the handoff alone for this many seconds; does nothing where the lease was lost."""
    theirs = and_(col(Handoff.id) == handoff_id, col(Handoff.epoch) == epoch)
    retry_at = real + timedelta(seconds=seconds)
    session.execute(update(Handoff).where(theirs).values(lease_by="", lease_until=None, retry_at=retry_at))


def take_over(session: Session, handoff: Handoff) -> None:
    """Ends the lease of the attempt under way, if any: that attempt writes nothing any more. Keep the row locked until the commit."""
    handoff.epoch += 1
    handoff.lease_by, handoff.lease_until = "", None
    session.add(handoff)


def locked(session: Session, handoff_id: int) -> Handoff:
    """The handoff as it is now, locked for this transaction."""
    query = select(Handoff).where(col(Handoff.id) == handoff_id).with_for_update(key_share=True)
    found: Handoff = session.execute(query.execution_options(populate_existing=True)).scalar_one()
    return found


def hold(session: Session, handoff_id: int, epoch: int, *, now: datetime) -> tuple[Handoff, Held]:
    """Locks the handoff and its open wait for this transaction, so that no answer comes in between. Reads them with the due wakes.

    Raises StaleHandoff when another attempt has taken the handoff over.
    """
    handoff = locked(session, handoff_id)
    if handoff.epoch != epoch:
        raise StaleHandoff()
    due = wakes.pending(session, handoff_id, now=now)
    kept = Held(handoff_id, due, waits.open_of(session, handoff_id, lock=True, alone=True))
    held.keep(session, kept)
    return handoff, kept
