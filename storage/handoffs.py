"""Handoffs: moving through the stages, and who has the lead. leases.py says which process carries a handoff out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from agreements.lifecycle import ENDS, OPEN_STAGES, Stage, transition
from agreements.model import Agreement
from agreements.words import SEVERAL, Ended, Move
from storage import contracts, held, offers, trail, waits
from storage.tables import Assignment, Handoff, HandoffNote, Lead

#: The reason of a handoff that is held although nobody asked to hold it.
NO_AGREEMENT = "no-agreement-in-force"
#: The owner of a handoff at each stage where the owner is not a person.
_OWNERS = {Stage.INQUIRY: "operator", Stage.MQL: "marketing", Stage.NURTURING: "marketing", Stage.STUCK: "operator"}


def get(session: Session, handoff_id: int) -> Handoff:
    """The handoff with this id. Raises HandoffError where there is none."""
    handoff = session.get(Handoff, handoff_id)
    if handoff is None:
        raise HandoffError(f"There is no handoff {handoff_id}.")
    return handoff


def lead_of(session: Session, handoff: Handoff) -> Lead:
    """The lead of this handoff."""
    lead = session.get(Lead, handoff.lead_id)
    assert lead is not None, "a handoff always has a lead: the foreign key says so"
    return lead


def agreement_of(session: Session, handoff: Handoff) -> Agreement:
    """The agreement version that applied when this handoff began."""
    return contracts.agreement_of(session, handoff.agreement, handoff.version, hash=handoff.hash)


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


def move(session: Session, handoff: Handoff, event: Move, *, now: datetime, actor: str = "baton", **data: Any) -> None:
    """Moves along the lifecycle and records the event in the trail; an end closes the open wait. Raises TransitionNotAllowed."""
    to = transition(handoff.stage, event)
    before, handoff.stage, handoff.step = handoff.stage, to.stage, to.step
    handoff.owner = _OWNERS.get(to.stage) or handoff.rep or handoff.owner
    if event == "got-stuck":
        handoff.track = before
    if to.stage == Stage.MQL and handoff.mql_at is None:
        handoff.mql_at = now
    if to.stage in ENDS:
        handoff.ended_at, handoff.outcome = handoff.ended_at or now, to.stage
        waits.close_open(session, handoff, because=event, now=now)
        end_assignment(session, handoff, because=event, now=now)
    session.add(handoff)
    trail.record(session, event, now=now, handoff=handoff, actor=actor, was=before, **data)


def open_assignment(session: Session, handoff: Handoff) -> Assignment | None:
    """The current assignment of the lead to a rep, None while nobody has it."""
    if held.of(session, handoff.id):
        return next((row for row in reversed(assignments(session, handoff.id)) if row.ended_at is None), None)
    query = select(Assignment).where(Assignment.handoff_id == handoff.id, col(Assignment.ended_at).is_(None))
    return session.exec(query.order_by(col(Assignment.number).desc()).limit(1)).first()


def assignments(session: Session, handoff_id: int) -> list[Assignment]:
    """All assignments of a handoff in order."""
    query = select(Assignment).where(Assignment.handoff_id == handoff_id).order_by(col(Assignment.number))
    return held.known(session, handoff_id, "assignments", lambda: list(session.exec(query)))


def add_assignment(session: Session, row: Assignment) -> None:
    """Gives the lead to a rep."""
    if held.of(session, row.handoff_id):
        assignments(session, row.handoff_id).append(row)
    session.add(row)


def taken_over(session: Session, handoff: Handoff) -> list[Handoff]:
    """The handoffs of the same pass that were withdrawn for a new version, newest first; this handoff continues them."""
    found: list[Handoff] = []
    earlier = session.get(Handoff, handoff.previous_id) if handoff.previous_id else None
    while earlier is not None and earlier.stage == Stage.WITHDRAWN:
        found.append(earlier)
        earlier = session.get(Handoff, earlier.previous_id) if earlier.previous_id else None
    return found


def end_assignment(session: Session, handoff: Handoff, *, because: Ended, now: datetime) -> Assignment | None:
    """Ends the current assignment, if there is one; from now on the links of all who were asked show history only."""
    assignment = open_assignment(session, handoff)
    if assignment:
        if assignment.rep == SEVERAL:
            offers.end_all(session, assignment.id, because=because, now=now)
        assignment.ended_at, assignment.ended_because = now, because
        session.add(assignment)
    return assignment


def latest_of(session: Session, lead_id: int) -> Handoff | None:
    """The open handoff of a lead, else its newest one; None for a lead without any."""
    query = select(Handoff).where(Handoff.lead_id == lead_id).order_by(col(Handoff.ended_at).is_not(None), col(Handoff.id).desc())
    return session.exec(query.limit(1)).first()


def before(session: Session, handoff: Handoff) -> Handoff | None:
    """The lead's pass before this one, None for the first. A handoff that was withdrawn for a new version is not a pass of its own."""
    first = [handoff, *taken_over(session, handoff)][-1]
    return session.get(Handoff, first.previous_id) if first.previous_id else None


def held_after(session: Session, after: int, *, limit: int, only_without_agreement: bool = False) -> list[Handoff]:
    """The next held handoffs with an id above `after`, in the order of their ids. Nobody else changes them until the transaction ends.

    only_without_agreement: only those held because no agreement covered them.
    """
    query = select(Handoff).where(col(Handoff.held).is_(True), col(Handoff.id) > after).order_by(col(Handoff.id))
    if only_without_agreement:
        query = query.where(Handoff.reason == NO_AGREEMENT)
    return list(session.exec(query.limit(limit).with_for_update(key_share=True)).all())


def count_held(session: Session) -> int:
    """How many handoffs are stored but held."""
    return session.exec(select(func.count()).select_from(Handoff).where(col(Handoff.held).is_(True))).one()


def is_recorded(session: Session, run_id: str) -> bool:
    """Whether this run carries out any handoff."""
    return session.exec(select(Handoff.id).where(Handoff.flow_run_id == run_id).limit(1)).first() is not None


def is_open(handoff: Handoff) -> bool:
    """Whether the handoff has not ended."""
    return handoff.stage in OPEN_STAGES
