"""The opportunity that Baton creates in the CRM: once a handoff, at the acceptance where that is agreed, else at the rep's answer."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from agreements.crm_words import creates_opportunity
from storage import deliveries, handoffs
from storage.tables import Answer, Delivery, DeliveryState, Handoff

#: The states of a request to the CRM after which nothing was created.
_CAME_TO_NOTHING = (DeliveryState.CANCELLED, DeliveryState.FAILED)


def create_at_acceptance(session: Session, handoff: Handoff, answer: Answer, *, now: datetime) -> None:
    """Requests the opportunity where the agreement creates it at acceptance. Until the acceptance is final, nothing goes out."""
    if creates_opportunity(handoffs.agreement_of(session, handoff)):
        create(session, handoff, answer, now=now)


def create(session: Session, handoff: Handoff, answer: Answer, *, now: datetime) -> None:
    """Requests the opportunity in the CRM, unless this handoff has one or has requested one."""
    if was_requested(session, handoff):
        return
    values = {"agreement": f"{handoff.agreement}@{handoff.version}", "score": handoff.score}
    message = deliveries.Message("opportunity", context={"values": values}, answer_id=answer.id)
    copy = deliveries.Copy(f"answer:{answer.id}:opportunity", "crm", handoff.rep)
    deliveries.queue(session, handoff, message, copy, now=now, send_at=max(now, answer.effective_at))


def was_requested(session: Session, handoff: Handoff) -> bool:
    """Whether Baton has requested an opportunity for this handoff that came about or still may."""
    query = select(Delivery.id).where(Delivery.handoff_id == handoff.id, Delivery.message == "opportunity")
    return session.exec(query.where(col(Delivery.state).not_in(_CAME_TO_NOTHING)).limit(1)).first() is not None
