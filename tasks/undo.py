"""Undo: an answer was taken back in time, so the wait is open again as it was."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.lifecycle import Stage
from storage import deliveries, handoffs, waits, wakes
from storage.tables import Answer, Handoff, Wait
from tasks.acceptance import open_acceptance
from tasks.follow_up import open_first_attempt, untouch
from tasks.work import Work


def undo(work: Work) -> None:
    """Puts back what the answer had begun; what it would have said outward is not said."""
    session, handoff, now = work.session, work.handoff, work.now
    pending = [wake for wake in wakes.pending(session, handoff.id or 0, now=now) if wake.kind == "undo"]
    for wake in pending:
        answer = session.get(Answer, int(wake.key.removeprefix("undo:")))
        if answer is not None:
            _take_back(session, handoff, answer, now)
    wakes.drop(session, [wake.id or 0 for wake in pending])


def _take_back(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> None:
    deliveries.cancel(session, answer_id=answer.id or 0)
    wait = waits.open_of(session, handoff.id or 0)
    if wait and wait.answer_id == answer.id:
        wait.answer_id = None
        session.add(wait)
        return
    answered = session.get(Wait, answer.wait_id)
    tenure = handoffs.open_assignment(session, handoff)
    if answered is None or tenure is None or answered.assignment_id != tenure.id:
        return
    if answer.kind == "accepted" and handoff.stage == Stage.ACCEPTED:
        waits.close_open(session, handoff, because="undone", now=now)
        handoffs.move(session, handoff, "acceptance-undone", now=now, actor=answer.by)
        open_acceptance(session, handoff, tenure, now=now)
    elif answer.kind in ("attempted", "connected") and handoff.stage == Stage.WORKING:
        waits.close_open(session, handoff, because="undone", now=now)
        handoffs.move(session, handoff, "attempt-undone", now=now, actor=answer.by)
        untouch(session, handoff, answer)
        open_first_attempt(session, handoff, now=now, accepted_at=answered.opened_at)
