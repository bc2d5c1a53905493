"""Bounces: match a returned message to its delivery. Both doors for returned mail come through here.

Only the signed mark of the return path names a delivery. Headers and text of a returned message are written by whoever sends it.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from notifications.bounces import BOUNCED, Returned
from notifications.links import Links
from storage import proof
from storage.tables import Delivery, DeliveryState

#: What became of a returned message: it counts as a bounce now, it did before, its message was read by its person, or none of ours.
NOTED, REPEATED, READ, NOT_OURS = "bounced", "repeated", "was-read", "not-ours"


def take(session: Session, returned: Returned, links: Links, *, now: datetime) -> str:
    """Notes the bounce at its delivery, once: "bounced", "repeated", "was-read" or "not-ours". What is no bounce keeps its kind:
    "delayed", "reply" or "other". Call inside a write transaction."""
    if returned.kind != BOUNCED:
        return returned.kind
    marked = (links.bounce_marks.read(mark) for mark in returned.marks)
    delivery_id = next((one for one in marked if one is not None), None)
    if delivery_id is None:
        return NOT_OURS
    if proof.bounced(session, delivery_id, why=returned.why, now=now):
        return NOTED
    row = session.get(Delivery, delivery_id)
    if row is None or row.state not in (*proof.MAY_COME_BACK, DeliveryState.BOUNCED):
        return NOT_OURS
    return REPEATED if row.state == DeliveryState.BOUNCED else READ
