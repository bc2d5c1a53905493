"""Bounces: match a returned message to its delivery. Both ways in for returned mail call this module.

Only the signed mark of the return path names a delivery. Any sender can forge the headers and text of a returned message.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from sqlmodel import Session

from agreements.errors import RosterError
from agreements.words import MailFindingKind
from notifications.links import Links
from notifications.returned import BOUNCED, COMPLAINT, OTHER, REPLY, Returned
from storage import mail_findings, proof, roster
from storage.tables import Delivery, DeliveryState
from tasks.background import auto_replies, complaints

#: The results for a returned message: a new bounce, a repeated bounce, its person has read the message, or not from Baton; a new
#: automatic reply, whose person may be away; a new complaint; and new mail that somebody has to look at.
NOTED, REPEATED, READ, NOT_OURS, AWAY = "bounced", "repeated", "was-read", "not-ours", "away"
COMPLAINED, DOUBTFUL = "complained", "doubtful"


def take(session: Session, returned: Returned, links: Links, *, now: datetime) -> str:
    """Stores a bounce once at its delivery; returns "bounced", "repeated", "was-read" or "not-ours".

    Notes an automatic reply of somebody whom Baton wrote to, and returns "away"; a complaint, and returns "complained"; other mail with
    a valid mark that is no report, and returns "doubtful". For all the rest, returns its kind: "delayed", "reply", "complaint" or
    "other". Call inside a write transaction.
    """
    marked = (links.bounce_marks.read(mark) for mark in returned.marks)
    delivery_id = next((one for one in marked if one is not None), None)
    if returned.kind == REPLY and delivery_id is not None:
        return AWAY if auto_replies.take(session, delivery_id, returned.days, now=now) else REPLY
    if returned.kind == COMPLAINT and delivery_id is not None:
        return COMPLAINED if complaints.take(session, delivery_id, source="mail", now=now) else REPEATED
    if returned.kind == OTHER and delivery_id is not None and not returned.is_report:
        return _look_at(session, delivery_id, returned, now)
    if returned.kind != BOUNCED:
        return returned.kind
    if delivery_id is None:
        return NOT_OURS
    row = session.get(Delivery, delivery_id)
    if row is not None and proof.bounced(session, delivery_id, why=returned.why, now=now, cause=_cause(session, row, returned)):
        return NOTED
    if row is None or row.state not in (*proof.MAY_COME_BACK, DeliveryState.BOUNCED):
        return NOT_OURS
    return REPEATED if row.state == DeliveryState.BOUNCED else READ


def _look_at(session: Session, delivery_id: int, returned: Returned, now: datetime) -> str:
    """Note mail to a return path that nothing explains, such as an answer of a person: the operator looks at it."""
    row = session.get(Delivery, delivery_id)
    if row is None:
        return NOT_OURS
    kind: MailFindingKind = "answered" if returned.is_answer else "doubtful"
    return DOUBTFUL if mail_findings.note(session, row, kind, source="mail", once=returned.once, now=now) else REPEATED


def _cause(session: Session, row: Delivery, returned: Returned) -> proof.Cause:
    """The cause as codes. The address itself is not kept: only whether it is the person's."""
    named, own = returned.cause.address.lower(), ""
    if named:
        with suppress(RosterError):  # without a roster nobody has an address
            own = getattr(roster.current(session).person(row.person), "email", "").lower()
    return proof.Cause(returned.cause.hard, returned.cause.code, returned.cause.about, bool(own) and named != own)
