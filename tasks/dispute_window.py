"""The dispute window: whether marketing may still object to an answer of sales, and until when."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.words import DISPUTABLE
from storage import disputes, handoffs
from storage.tables import Answer, AnswerState, Wait
from tasks.clock_inputs import calendar_of


def open_until(session: Session, answer: Answer) -> datetime:
    """Until when marketing may dispute this answer: the agreed time, counted from when the answer could no longer be undone."""
    handoff = handoffs.get(session, answer.handoff_id)
    within = handoffs.agreement_of(session, handoff).dispute.within
    return within.after(answer.effective_at, calendar_of(session, handoff, "note", "marketing"))


def open_if_any(session: Session, answer: Answer) -> datetime | None:
    """Until when marketing may dispute this answer, should it count; None if it never may."""
    return None if _why_never(session, answer) else open_until(session, answer)


def _why_never(session: Session, answer: Answer) -> str:
    if answer.kind not in DISPUTABLE:
        return "Only a rejection or a return that counts can be disputed."
    if answer.data.get("all_declined"):
        return "Several reps were asked, and none of them took the lead. Their reasons led to nothing, so there is nothing to dispute."
    agreement = handoffs.agreement_of(session, handoffs.get(session, answer.handoff_id))
    if agreement.reason(str(answer.data.get("reason", ""))) is None:
        return "The answer has none of the agreed reasons, so there is nothing to dispute."
    return ""


def why_not(session: Session, answer: Answer | None, *, now: datetime) -> str:
    """Return why this answer cannot be disputed, in words; empty where it can be."""
    if answer is None or answer.state != AnswerState.COUNTED:
        return "Only a rejection or a return that counts can be disputed."
    if never := _why_never(session, answer):
        return never
    wait = session.get(Wait, answer.wait_id)
    if answer.effective_at > now or wait is None or wait.closed_at is None:
        return "The answer can still be taken back, or Baton is carrying it out. Please look again in a few minutes."
    if disputes.of_answer(session, answer.id) is not None:
        return "Marketing has already disputed this."
    if now > open_until(session, answer):
        return "The time to dispute it has passed. The rejection stands."
    return ""
