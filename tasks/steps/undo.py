"""Undo: an answer was taken back in time, so its wait is open again as before.

The person's request checked that nothing builds on the answer. This step checks again: a CRM change may have come in between.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from storage import deliveries, handoffs, outcomes, roster, trail, undoing, waits, wakes
from storage.tables import Answer, AnswerState, Assignment, Delivery, Handoff, Wait
from storage.undoing import Bar
from tasks.messages import marketing_news
from tasks.steps.acceptance import open_acceptance
from tasks.steps.follow_up import open_first_attempt, untouch
from tasks.work import Work


def undo(work: Work) -> None:
    """Reverts the effects of the answer and cancels its queued messages, unless a later answer builds on it."""
    session, handoff, now = work.session, work.handoff, work.now
    pending = [wake for wake in wakes.pending(session, handoff.id, now=now) if wake.kind == "undo"]
    for wake in pending:
        answer = session.get(Answer, undoing.of_wake(wake.key))
        if answer is not None:
            _take_back(session, handoff, answer, now)
    wakes.drop(session, [wake.id for wake in pending])


def _take_back(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> None:
    answered, wait = session.get(Wait, answer.wait_id), waits.open_of(session, handoff.id)
    assert answered is not None, "an answer is to a wait: the foreign key says so"
    if answered.closed_at is not None and _was_overtaken(session, answer, wait):
        _let_it_stand(session, handoff, answer, now)
        return
    deliveries.cancel(session, answer_id=answer.id)
    outcomes.take_back(session, key=marketing_news.key_of(answer))
    if answered.closed_at is None:
        return  # the answer had no effects yet, and the request to undo has freed its wait
    tenure = handoffs.open_assignment(session, handoff)
    assert tenure is not None, "where the lead has gone elsewhere since, the answer was overtaken"
    waits.close_open(session, handoff, because="undone", now=now)
    if answer.kind == "accepted":
        _give_back_to_mailbox(session, handoff, tenure, answer)
        handoffs.move(session, handoff, "acceptance-undone", now=now, actor=answer.by, rep=tenure.rep, assignment_id=tenure.id)
        open_acceptance(session, handoff, tenure, now=now)
    else:
        handoffs.move(session, handoff, "attempt-undone", now=now, actor=answer.by)
        untouch(session, handoff, answer)
        open_first_attempt(session, handoff, now=now, accepted_at=answered.opened_at)


def _was_overtaken(session: Session, answer: Answer, wait: Wait | None) -> bool:
    """Whether a later answer builds on this one, for example because sales was further in the CRM.

    A deadline that passed meanwhile for the next task does not count: nobody had this task any more.
    """
    later = undoing.progress_after(session, answer)
    if later is None or later.bar != Bar.MISSED or later.since is None or wait is None or wait.answer_id != later.since.id:
        return later is not None
    later.since.state, wait.answer_id = AnswerState.UNDONE, None
    session.add_all([later.since, wait])
    session.flush()
    return undoing.progress_after(session, answer) is not None


def _let_it_stand(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> None:
    """Lets the answer count again: a later answer needs it."""
    answer.state = AnswerState.COUNTED
    session.add(answer)
    trail.record(session, "undo-overtaken", now=now, handoff=handoff, actor=answer.by, answer=answer.kind, answer_id=answer.id)


def _give_back_to_mailbox(session: Session, handoff: Handoff, tenure: Assignment, answer: Answer) -> None:
    """Gives a lead that a member of a shared mailbox had taken back to the whole mailbox."""
    told = session.exec(
        select(Delivery).where(Delivery.assignment_id == tenure.id, Delivery.message == "assigned").order_by(col(Delivery.id)).limit(1)
    ).first()
    ident = str(told.context.get("rep", "")) if told else ""
    mailbox = roster.current(session).person(ident)
    if mailbox is not None and mailbox.shared and answer.by in mailbox.members:
        tenure.rep = handoff.rep = ident
        session.add_all([tenure, handoff])
