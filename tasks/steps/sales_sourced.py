"""Leads that a rep brought in: the rep has such a lead at once, without a proof of delivery and without a wait for acceptance."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.clauses.scoring import SalesClock
from agreements.model import Agreement
from agreements.words import Move
from storage import deliveries, handoffs, roster, waits
from storage.tables import Assignment, Handoff, Wait
from tasks.clock_inputs import NO_CLOCK
from tasks.messages.outbox import crm_status

CAUSE = "brought in by them"


def has_its_rep(session: Session, handoff: Handoff) -> bool:
    """Whether a rep who is still in the roster brought the lead in, and no rep has had it yet in this pass."""
    had = any(one.first_assigned_at for one in (handoff, *handoffs.taken_over(session, handoff)))
    return bool(handoff.brought_by) and roster.is_rep(session, handoff.brought_by) and not had


def take(session: Session, handoff: Handoff, agreement: Agreement, *, now: datetime) -> None:
    """Gives the lead to the rep who brought it in, as accepted, or as being worked if no clock runs for the first attempt."""
    waits.close_open(session, handoff, because="assigned", now=now)
    rep = handoff.brought_by
    person = roster.current(session).person(rep)
    row = Assignment(
        handoff_id=handoff.id,
        lead_id=handoff.lead_id,
        leg=handoff.leg,
        number=len(handoffs.assignments(session, handoff.id)) + 1,
        rep=rep,
        team=person.team if person else "",
        tier=handoff.tier,
        cause=CAUSE,
        assigned_at=now,
        proven_at=now,
    )
    handoffs.add_assignment(session, row)
    handoff.rep, handoff.wanted_rep, handoff.first_assigned_at = rep, "", now
    event: Move = "taken" if "first_attempt" in agreement.qualification.sales_sourced.clocks else "taken-at-work"
    handoffs.move(session, handoff, event, now=now, actor=rep, rep=rep, assignment_id=row.id)
    session.flush()
    for channel in ("crm", "email"):
        key = f"{row.id}:taken:{channel}"
        deliveries.queue(
            session,
            handoff,
            deliveries.Message("taken", context={"rep": rep}, assignment_id=row.id),
            deliveries.Copy(key, channel, rep),
            now=now,
        )
    crm_status(session, handoff, "accepted", key=row.id, now=now)


def open_without_a_clock(session: Session, handoff: Handoff, row: Assignment, *, now: datetime) -> Wait:
    """Opens a wait for the outcome without a deadline for the rep. It ends when the lead's data would have to be deleted."""
    due = now + handoffs.agreement_of(session, handoff).retention.personal
    return waits.open_wait(
        session, handoff, waits.NewWait("outcome", about=NO_CLOCK, holder=row.rep, due_at=due, assignment_id=row.id), now=now
    )


def runs(session: Session, handoff: Handoff, clock: SalesClock) -> bool:
    """Whether this clock runs for the rep who has the lead. For a lead that the rep brought in, only the agreed clocks run."""
    row = handoffs.open_assignment(session, handoff)
    if row is None or row.cause != CAUSE:
        return True
    return clock in handoffs.agreement_of(session, handoff).qualification.sales_sourced.clocks
