"""The head of the trail by mail, once a day: a copy that is neither in the database nor on Baton's machines."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import Session, select

from notifications.letter import HeadContext, Recipient
from storage import deliveries, trail
from storage.tables import Delivery
from tasks.messages.drafts import Draft

MESSAGE = "trail-head"


def queue_head(session: Session, *, to: str, now: datetime) -> bool:
    """Asks for today's mail with the newest head; False where it is asked for already, or nothing was sealed yet.

    to: an e-mail address. The day is that of UTC, and its key lets the mail go out once. Call inside a write transaction.
    """
    key = f"{MESSAGE}:{now.astimezone(UTC):%Y-%m-%d}"
    if session.exec(select(Delivery.id).where(Delivery.key == key)).first() is not None:
        return False
    row = trail.newest_seal(session)
    if row is None:
        return False
    said = {"head": row.digest, "seal": row.id, "events": row.total, "sealed_at": f"{row.sealed_at:%Y-%m-%d %H:%M} UTC"}
    return deliveries.queue(session, None, deliveries.Message(MESSAGE, context=said), deliveries.Copy(key, "email", to), now=now)


def draft_of(row: Delivery) -> Draft:
    """The letter of such a delivery, which says the head as it was when the mail was asked for."""
    said = row.context
    context = HeadContext(
        to=Recipient(row.person, "", row.person),
        link="",
        head=str(said["head"]),
        seal=str(said["seal"]),
        events=str(said["events"]),
        sealed_at=str(said["sealed_at"]),
    )
    return Draft(MESSAGE, context, row.key)
