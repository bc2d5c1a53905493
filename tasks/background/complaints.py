"""Complaints: somebody marked an e-mail as unwanted. They get no more e-mail, and whoever decides gets a message."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import mail_key
from agreements.words import MailSource
from storage import handoffs, mail_findings, proof, trail
from storage.suppressions import Told
from storage.tables import Delivery, DeliveryState, Lead
from tasks import opting_out
from tasks.messages import complaint_message

_SENT = (*proof.MAY_COME_BACK, DeliveryState.BOUNCED)


def take(session: Session, delivery_id: int, *, source: MailSource, now: datetime) -> bool:
    """Store a complaint about this delivery, once. The message then proves nothing, as if it had come back.

    False, with nothing changed, for a known complaint and for a message that was not sent by e-mail. Call inside a write transaction.
    """
    row = session.get(Delivery, delivery_id)
    if row is None or row.channel not in mail_findings.MAIL or row.state not in _SENT:
        return False
    if not mail_findings.note(session, row, "complaint", source=source, once="", now=now):
        return False
    handoff = handoffs.get(session, row.handoff_id) if row.handoff_id else None
    facts: dict[str, Any] = {"to": row.person, "channel": row.channel, "message": row.message, "delivery_id": row.id, "source": source}
    trail.record(session, "complained", now=now, handoff=handoff, actor=f"channel:{row.channel}", **facts)
    proof.bounced(session, row.id, why="reported as unwanted", now=now, cause=proof.Cause(True, "complaint", "policy"))
    complaint_message.tell(session, row, now=now)
    return True


def take_from_prospect(session: Session, address: str, *, source: MailSource, now: datetime) -> bool:
    """List a prospect who complained about mail of the company: no more mail to them. False where no lead has the address.

    The company may send its own mail through the same provider. Only a call that the provider signed may come here.
    """
    key = mail_key(address)
    leads = session.exec(select(Lead).where(Lead.mail_key == key, col(Lead.erased_at).is_(None))).all() if key else ()
    told = Told("email", source="complaint", by=f"mail:{source}", since=now)
    for lead in leads[:1]:  # `opt_out` finds every other lead of the person
        opting_out.opt_out(session, lead, told, now=now)
    return bool(leads)
