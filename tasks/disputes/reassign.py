"""Reassign: a lead whose rejection was overturned goes back to sales, in a new handoff that starts at the assignment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements.lifecycle import Stage
from agreements.model import Agreement
from storage import disputes, handoffs, leads, waits
from storage.tables import Answer, Dispute, Handoff, HandoffNote
from tasks.begin import begin
from tasks.steps.qualify import rate

CAUSE: Final = "dispute-overturned"


def assign_again(session: Session, dispute: Dispute, answer: Answer, *, now: datetime) -> int | None:
    """Begins the new handoff under the version in force, and returns its id; None if the lead is no longer in that nurture.

    Call inside the transaction that writes the ruling: there is one ruling, so there is at most one new handoff. It goes to the
    same rep, unless the agreement gives leads with this reason to another rep.
    """
    handoff = handoffs.get(session, dispute.handoff_id)
    wait = waits.open_of(session, handoff.id, lock=True)
    session.refresh(handoff)
    lead, latest = handoffs.lead_of(session, handoff), handoffs.latest_of(session, handoff.lead_id)
    still_there = handoff.stage == Stage.NURTURING and latest is not None and latest.id == handoff.id and lead.merged_into is None
    if not still_there or wait is None or leads.facts(session, lead).value("suppressed"):
        return None
    if not waits.close_unanswered(session, wait, because="overturned", now=now):
        return None
    new = handoffs.get(session, begin(session, lead, now=now, cause=CAUSE, previous=handoff))
    _take_along(session, handoff, new, answer)
    agreement = handoffs.agreement_of(session, new) if new.agreement else None
    if agreement is not None:
        _fit_in(session, new, agreement, now)
    handoffs.move(session, new, "assigned-again", now=now, dispute=dispute.id, rep=new.wanted_rep)
    session.flush()
    return new.id


def _take_along(session: Session, before: Handoff, new: Handoff, answer: Answer) -> None:
    """Copies the facts and the note of the rejected handoff to the new one. The lead is not scored again: `routed` skips the score."""
    for name in ("tier", "fit", "engagement", "score", "fast_lane", "account", "revisits"):
        setattr(new, name, getattr(before, name))
    new.routed = True
    reason = handoffs.agreement_of(session, before).reason(str(answer.data.get("reason", "")))
    rows = handoffs.assignments(session, before.id)
    new.wanted_rep = "" if reason and reason.back_to == "other-rep" else disputes.rep_of(session, answer)
    new.leg = rows[-1].leg if rows else 0
    note = handoffs.note_of(session, before)
    if note is not None:
        content = {name: value for name, value in note.content.items() if name != "to_fix"}
        session.add(HandoffNote(handoff_id=new.id, content=content, complete=note.complete, written_at=note.written_at))
    session.add(new)
    session.flush()


def _fit_in(session: Session, new: Handoff, agreement: Agreement, now: datetime) -> None:
    """Replaces a leg or a tier that the version in force does not have."""
    new.leg = new.leg if new.leg < len(agreement.legs) else 0
    if new.tier not in {tier.name for tier in agreement.tiers}:
        rate(session, new, agreement, now)
