"""The message to the operator that somebody's mailbox complained about a message of Baton. From then on that person gets no e-mail."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.errors import RosterError
from notifications.letter import AbsenceContext
from storage import deliveries, roster
from storage.tables import Delivery
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import recipient

MESSAGE: Final = "complaint-told"


def tell(session: Session, complained: Delivery, *, now: datetime) -> None:
    """Queue the message to the operator, or to whoever stands in; once for each message that was complained about."""
    with suppress(RosterError):  # without a roster there is nobody to write to
        people = roster.current(session)
        name = people.name_of(complained.person)
        context = {
            "subject": f"No more e-mail to {name}",
            "what": f"The mailbox of {name} reported a message of Baton as unwanted.",
            "why": "Baton sends no e-mail to this person now, so e-mail does not prove any more that they were told.",
            "todo": f"Ask {name} whether that was a mistake. Then settle the complaint, and e-mail goes out again.",
            "command": "baton bounces list",
        }
        to = presence.stand_in(people, people.operator, now) or people.operator
        copy = deliveries.Copy(f"{MESSAGE}:{complained.id}:email", "email", to)
        deliveries.queue(session, None, deliveries.Message(MESSAGE, context=context), copy, now=now)


def draft_of(session: Session, row: Delivery) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    said = {name: str(row.context.get(name, "")) for name in ("subject", "what", "why", "todo", "command")}
    return Draft(MESSAGE, AbsenceContext(to=recipient(roster.current(session), row.person), link="", **said), row.key)
