"""The head of the trail by mail, once a day: a copy outside of the database and of Baton's machines."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from sqlmodel import Session, select

from notifications.letter import HeadContext, Recipient
from storage import deliveries, trail
from storage.tables import Delivery
from tasks.messages.drafts import Draft

MESSAGE: Final = "trail-head"


def queue_head(session: Session, *, to: str, now: datetime) -> bool:
    """Queues today's mail with the newest head; False if it is queued already, or nothing is sealed yet.

    to: an e-mail address. The day is in UTC and is part of the key, so the mail goes out once. Call inside a write transaction.
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
    """Return the draft of such a delivery, with the head from when the mail was queued."""
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
