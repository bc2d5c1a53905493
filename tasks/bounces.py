"""Bounces: a returned message is laid to the delivery that it is about. Both doors for returned mail come through here."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from notifications.bounces import BOUNCED, Returned, letter_id_of
from notifications.links import Links
from storage import proof
from storage.tables import Delivery, DeliveryState

#: What became of a returned message: noted now, noted before, or none of ours.
NOTED, REPEATED, NOT_OURS = "bounced", "repeated", "not-ours"


def take(session: Session, returned: Returned, links: Links, *, now: datetime) -> str:
    """Notes the bounce at its delivery, once: "bounced", "repeated" or "not-ours". What is no bounce keeps its kind: "delayed",
    "reply" or "other". Call inside a write transaction."""
    if returned.kind != BOUNCED:
        return returned.kind
    delivery_id = _delivery_of(session, returned, links, now)
    if delivery_id is None:
        return NOT_OURS
    if proof.bounced(session, delivery_id, why=returned.why, now=now):
        return NOTED
    row = session.get(Delivery, delivery_id)
    return REPEATED if row is not None and row.state == DeliveryState.BOUNCED else NOT_OURS


def _delivery_of(session: Session, returned: Returned, links: Links, now: datetime) -> int | None:
    """By the mark in the return path; else by the key, else by the Message-ID in what was returned."""
    for mark in returned.marks:
        if (delivery_id := links.bounce_marks.read(mark)) is not None:
            return delivery_id
    if returned.keys:
        found = session.exec(select(Delivery.id).where(col(Delivery.key).in_(returned.keys)).order_by(col(Delivery.id)).limit(1)).first()
        if found is not None:
            return found
    if returned.letter_ids:
        wanted = set(returned.letter_ids)
        return next((ident for ident, key in proof.sent_lately(session, now=now) if letter_id_of(key) in wanted), None)
    return None
