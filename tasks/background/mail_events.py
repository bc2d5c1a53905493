"""What a mail provider says became of an e-mail: a bounce, a complaint, a delivery. The mark names the delivery that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from agreements.words import MailSource
from notifications.links import Links
from notifications.returned import BOUNCED, COMPLAINT, DELIVERED, MailEvent, Returned
from storage import deliveries, handoffs
from storage.tables import Delivery, DeliveryState
from tasks.background import bounces, complaints
from tasks.messages.outbox import agreed_bounce_time


def take(session: Session, events: Sequence[MailEvent], source: MailSource, links: Links, *, now: datetime) -> list[str]:
    """Store these events; return a word for each. A known one, and one about other mail, changes nothing, in whatever order they come.

    A complaint without a mark is about mail of the company itself: its sender is listed as not to be mailed. Call inside a write
    transaction, with events that the provider has signed.
    """
    return [_take(session, one, source, links, now) for one in events]


def _take(session: Session, one: MailEvent, source: MailSource, links: Links, now: datetime) -> str:
    delivery_id = next((found for mark in one.marks if (found := links.bounce_marks.read(mark)) is not None), None)
    if one.kind == BOUNCED:
        returned = Returned(BOUNCED, one.why, tuple(mark.lower() for mark in one.marks), cause=one.cause)
        return bounces.take(session, returned, links, now=now)
    if one.kind == COMPLAINT and delivery_id is None:
        return bounces.COMPLAINED if complaints.take_from_prospect(session, one.address, source=source, now=now) else bounces.NOT_OURS
    if one.kind == COMPLAINT and delivery_id is not None:
        return bounces.COMPLAINED if complaints.take(session, delivery_id, source=source, now=now) else bounces.REPEATED
    if one.kind == DELIVERED and delivery_id is not None:
        _arrived(session, delivery_id, source, now)
    return one.kind


def _arrived(session: Session, delivery_id: int, source: MailSource, now: datetime) -> None:
    """Settle a message of which nobody knew whether it went out. Any other waits for the agreed time without a bounce, as before."""
    row = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    if row is None or row.state != DeliveryState.UNKNOWN:
        return
    handoff = handoffs.get(session, row.handoff_id) if row.handoff_id else None
    within = agreed_bounce_time(session, handoff)
    deliveries.succeeded(session, row, handoff, proof=f"delivered, says {source}", now=now, may_bounce_for=within)
