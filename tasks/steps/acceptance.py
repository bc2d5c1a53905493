"""Acceptance: from the proof of delivery, the rep has the agreed time to say yes or no."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from agreements.words import NOT_THERE, SEVERAL
from storage import handoffs, roster, waits
from storage.tables import Answer, Assignment, Handoff, Wait
from tasks.clock_inputs import morning_start, running
from tasks.messages import marketing_news
from tasks.messages.opportunity_request import create_at_acceptance
from tasks.messages.outbox import crm_status
from tasks.steps.follow_up import given_back_at, open_first_attempt
from tasks.steps.offering import give_to_first
from tasks.steps.recycle import dispose, hand_over, pass_on
from tasks.work import Work


def acceptance(work: Work) -> None:
    """Opens the wait for the rep's answer, or carries out the answer that counts."""
    session, handoff, now = work.session, work.handoff, work.now
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    if wait is None:
        row = handoffs.open_assignment(session, handoff)
        assert row is not None, "a lead is in stage assigned only with an open assignment"
        open_acceptance(session, handoff, row, now=now)
    elif answer is not None:
        take_answer(session, handoff, wait, answer, now=now)


def open_acceptance(session: Session, handoff: Handoff, row: Assignment, *, now: datetime) -> Wait:
    """Opens the wait for acceptance. Its clock runs from the proof of delivery, or from when a manager left the lead with the rep."""
    given_back = given_back_at(session, row)
    runs = running(
        session,
        handoff,
        "acceptance",
        row,
        start=given_back or morning_start(session, handoff, row, at=row.proven_at or now),
        anew=given_back is not None,
    )
    plan = runs.schedule(now=now)
    handoff.owner = row.rep
    session.add(handoff)
    return waits.open_wait(
        session, handoff, waits.NewWait("acceptance", holder=row.rep, due_at=plan.due_at, nudges=plan.nudges, assignment_id=row.id), now=now
    )


def take_answer(session: Session, handoff: Handoff, wait: Wait, answer: Answer, *, now: datetime) -> None:
    """Carries out the rep's answer about a lead that was assigned to them, also one that came while a manager was to decide."""
    agreement = handoffs.agreement_of(session, handoff)
    waits.close(session, wait, because=answer.kind, now=now)
    if answer.kind == "rejected":  # of several, only a reason that ends everything for the lead comes here
        dispose(session, handoff, agreement, answer, now=now)
    elif answer.kind in NOT_THERE:
        hand_over(session, handoff, agreement, wait, now=now)
    elif answer.kind == "handed":
        pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because="handed", now=now)
    else:
        on_time = answer.answered_at <= (wait.promised_at if wait.kind == "acceptance" else _promised(session, wait))
        claimed = {"claimed": True} if handoff.rep == SEVERAL else {}
        row = _give_to_taker(session, handoff, answer, now)
        tenure = {"rep": row.rep, "assignment_id": row.id} if row else {}
        handoffs.move(session, handoff, "accepted", now=now, actor=answer.by, via=answer.via, on_time=on_time, **tenure, **claimed)
        marketing_news.tell_answer(session, handoff, answer, now=now)
        send_at = max(now, answer.effective_at)
        crm_status(session, handoff, "accepted", key=f"answer:{answer.id}", now=now, send_at=send_at, answer_id=answer.id)
        create_at_acceptance(session, handoff, answer, now=now)
        first = open_first_attempt(session, handoff, now=now, accepted_at=answer.answered_at)
        if further := answer.data.get("implied_by"):  # the CRM was further already: answer this wait too
            data = {"channel": answer.data["channel"]} if "channel" in answer.data else {}
            new = waits.NewAnswer(further, by=answer.by, via=answer.via, data=data)
            waits.answer(session, first.id, new, now=now, answered_at=answer.answered_at)


def _promised(session: Session, decision: Wait) -> datetime:
    """By when the rep was to answer, as it stood before the manager was asked; the decision's own time if no clock ran."""
    query = select(Wait.promised_at).where(Wait.assignment_id == decision.assignment_id, Wait.kind == "acceptance")
    return session.exec(query.order_by(col(Wait.opened_at).desc()).limit(1)).first() or decision.promised_at


def _give_to_taker(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> Assignment | None:
    """Gives a lead that several reps, or the members of a shared mailbox, may have to the one who accepted; the link stays the same."""
    mailbox, row = roster.current(session).person(handoff.rep), handoffs.open_assignment(session, handoff)
    if row is not None and row.rep == SEVERAL:
        give_to_first(session, handoff, row, answer, now=now)
        return row
    if mailbox is None or row is None or answer.by not in mailbox.members:
        return row
    row.rep = handoff.rep = answer.by
    session.add(row)
    session.add(handoff)
    return row
