"""Handoffs: moving through the stages, and the lease that lets one attempt at a time do so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from agreements.errors import HandoffError, StaleHandoff
from agreements.lifecycle import ENDS, OPEN_STAGES, Stage, transition
from agreements.model import Agreement
from storage import contracts, trail, waits
from storage.tables import Assignment, Handoff, HandoffNote, Lead

LEASE_SECONDS = 30
#: Who owns a handoff at each stage, where it is not a person.
_OWNERS = {Stage.INQUIRY: "operator", Stage.MQL: "marketing", Stage.NURTURING: "marketing", Stage.STUCK: "operator"}


def take_lease(session: Session, handoff_id: int, *, by: str, real: datetime) -> int | None:
    """The new epoch, or None while another attempt holds the lease. real: real time, aware."""
    free = col(Handoff.lease_until).is_(None) | (col(Handoff.lease_until) <= real)
    taken = session.execute(
        update(Handoff)
        .where(col(Handoff.id) == handoff_id, free)
        .values(epoch=col(Handoff.epoch) + 1, lease_by=by, lease_until=real + timedelta(seconds=LEASE_SECONDS))
    )
    return session.exec(select(Handoff.epoch).where(Handoff.id == handoff_id)).one() if taken.rowcount else None  # type: ignore[attr-defined]


def renew_lease(session: Session, handoff_id: int, epoch: int, *, real: datetime) -> bool:
    """Holds the lease for another while; False when it was lost."""
    kept = session.execute(
        update(Handoff)
        .where(col(Handoff.id) == handoff_id, col(Handoff.epoch) == epoch)
        .values(lease_until=real + timedelta(seconds=LEASE_SECONDS))
    )
    return bool(kept.rowcount)  # type: ignore[attr-defined]


def take_over(session: Session, handoff: Handoff) -> None:
    """Ends the lease of whichever attempt is under way: it writes nothing any more. Keep the row locked until the commit."""
    handoff.epoch += 1
    handoff.lease_by, handoff.lease_until = "", None
    session.add(handoff)


def release_lease(session: Session, handoff_id: int, epoch: int) -> None:
    """Gives the lease back; nothing when it was lost already."""
    session.execute(update(Handoff).where(col(Handoff.id) == handoff_id, col(Handoff.epoch) == epoch).values(lease_by="", lease_until=None))


def owned(session: Session, handoff_id: int, epoch: int) -> Handoff:
    """The handoff and its open wait, locked for this transaction, so that no answer slips in between.

    Raises StaleHandoff when another attempt has taken it over.
    """
    handoff = session.exec(select(Handoff).where(Handoff.id == handoff_id).with_for_update(key_share=True)).one()
    if handoff.epoch != epoch:
        raise StaleHandoff()
    waits.open_of(session, handoff_id, lock=True)
    return handoff


def get(session: Session, handoff_id: int) -> Handoff:
    """The handoff of that id. Raises HandoffError for none."""
    handoff = session.get(Handoff, handoff_id)
    if handoff is None:
        raise HandoffError(f"There is no handoff {handoff_id}.")
    return handoff


def lead_of(session: Session, handoff: Handoff) -> Lead:
    """The lead that is handed off."""
    lead = session.get(Lead, handoff.lead_id)
    assert lead is not None, "a handoff always has a lead: the foreign key says so"
    return lead


def agreement_of(session: Session, handoff: Handoff) -> Agreement:
    """The version under which this handoff was born."""
    return contracts.agreement_of(session, handoff.agreement, handoff.version)


def note_of(session: Session, handoff: Handoff) -> HandoffNote | None:
    """The handoff note, None before it is written."""
    return session.get(HandoffNote, handoff.id)


def born_under(session: Session, handoff: Handoff, *, at: datetime, values: Mapping[str, Any]) -> Agreement:
    """Pins the version in force at that instant for a lead with these facts, once. Raises NoAgreementInForce."""
    if not handoff.agreement:
        row = contracts.in_force(session, at, values)
        handoff.agreement, handoff.version, handoff.hash = row.name, row.version, row.hash
        session.add(handoff)
    return agreement_of(session, handoff)


def move(session: Session, handoff: Handoff, event: str, *, now: datetime, actor: str = "baton", **data: Any) -> None:
    """Moves along the lifecycle and writes it into the trail; an end closes the open wait. Raises TransitionNotAllowed."""
    to = transition(handoff.stage, event)
    before, handoff.stage, handoff.step = handoff.stage, to.stage.value, to.step
    handoff.owner = _OWNERS.get(to.stage) or handoff.rep or handoff.owner
    if event == "got-stuck":
        handoff.track = before
    if to.stage == Stage.MQL and handoff.mql_at is None:
        handoff.mql_at = now
    if to.stage in ENDS:
        handoff.ended_at, handoff.outcome = handoff.ended_at or now, to.stage.value
        waits.close_open(session, handoff, because=event, now=now)
        end_assignment(session, handoff, because=event, now=now)
    session.add(handoff)
    trail.record(session, event, now=now, handoff=handoff, actor=actor, was=before, **data)


def open_assignment(session: Session, handoff: Handoff) -> Assignment | None:
    """The rep's current tenure of the lead, None while nobody has it."""
    query = select(Assignment).where(Assignment.handoff_id == handoff.id, col(Assignment.ended_at).is_(None))
    return session.exec(query.order_by(col(Assignment.number).desc()).limit(1)).first()


def assignments(session: Session, handoff_id: int) -> list[Assignment]:
    """All tenures of a handoff in order."""
    return list(session.exec(select(Assignment).where(Assignment.handoff_id == handoff_id).order_by(col(Assignment.number))))


def taken_over(session: Session, handoff: Handoff) -> list[Handoff]:
    """The handoffs of the same pass that were withdrawn for a new version, newest first; this one goes on from them."""
    found: list[Handoff] = []
    earlier = session.get(Handoff, handoff.previous_id) if handoff.previous_id else None
    while earlier is not None and earlier.stage == Stage.WITHDRAWN:
        found.append(earlier)
        earlier = session.get(Handoff, earlier.previous_id) if earlier.previous_id else None
    return found


def end_assignment(session: Session, handoff: Handoff, *, because: str, now: datetime) -> Assignment | None:
    """Ends the current tenure, if there is one; the rep's link shows history only from now on."""
    assignment = open_assignment(session, handoff)
    if assignment:
        assignment.ended_at, assignment.ended_because = now, because
        session.add(assignment)
    return assignment


def latest_of(session: Session, lead_id: int) -> Handoff | None:
    """The open handoff of a lead, else its newest one; None for a lead without any."""
    query = select(Handoff).where(Handoff.lead_id == lead_id).order_by(col(Handoff.ended_at).is_not(None), col(Handoff.id).desc())
    return session.exec(query.limit(1)).first()


def before(session: Session, handoff: Handoff) -> Handoff | None:
    """The pass of the lead before this one, None for the first. What was withdrawn for a new version is no pass of its own."""
    first = [handoff, *taken_over(session, handoff)][-1]
    return session.get(Handoff, first.previous_id) if first.previous_id else None


def is_open(handoff: Handoff) -> bool:
    """Whether the handoff has not ended."""
    return handoff.stage in OPEN_STAGES
