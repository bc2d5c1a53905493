"""New links: end all links that were sent to a person, and send a message with a new one."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session

from notifications.letter import CodeContext
from notifications.links import Links
from storage import deliveries, link_ends, roster, trail
from storage.tables import Delivery
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import number_of, recipient
from tasks.replies.link_life import ACTS_FOR

MESSAGE: Final = "links-ended"


def send(session: Session, person: str, *, by: str, quiet: bool, now: datetime) -> None:
    """Ends the links of this person, who is in the roster, and queues the message with a new one.

    by: the person who ends them; quiet: send no message. Call inside a write transaction.
    """
    link_ends.end(session, person, now=now)
    trail.record(session, "links-ended", now=now, actor=by, person=person, quiet=quiet)
    if not quiet:
        key = f"{MESSAGE}:{person}:{now.isoformat()}:email"
        deliveries.queue(session, None, deliveries.Message(MESSAGE), deliveries.Copy(key, "email", person), now=now)


def draft_of(session: Session, row: Delivery, links: Links, *, now: datetime) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    to = recipient(roster.current(session), row.person)
    link = links.for_digest(row.person, f"{now:%Y-%m-%d}", at=now)
    return Draft(MESSAGE, CodeContext(to, link, number_of(links, link), int(ACTS_FOR.total_seconds()) // 60), row.key)
