"""The message about somebody's absence that is about no lead: a calendar feed that is down."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.roster import Roster
from notifications.letter import AbsenceContext
from storage import deliveries, roster
from storage.tables import CalendarFeed, Delivery
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import recipient

MESSAGE: Final = "absence-told"


def tell_of_feed(session: Session, people: Roster, row: CalendarFeed, *, now: datetime) -> None:
    """Queue the message to operations that a feed has been down for long; once for each time that it goes down."""
    since = row.failing_since or now
    context = {
        "subject": f"The calendar of {people.name_of(row.person)} cannot be read",
        "what": f"Since {since:%Y-%m-%d %H:%M} UTC, Baton could not read the calendar feed of {people.name_of(row.person)} ({row.host}).",
        "why": f"The reason: {row.problem}.",
        "todo": "Absences that were read before still count. New ones are unknown until the feed works again.",
        "command": "baton roster feeds",
    }
    to = presence.stand_in(people, people.operator, now) or people.operator
    copy = deliveries.Copy(f"{MESSAGE}:feed:{row.person}:{since.isoformat()}:email", "email", to)
    deliveries.queue(session, None, deliveries.Message(MESSAGE, context=context), copy, now=now)


def draft_of(session: Session, row: Delivery) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    said = {name: str(row.context.get(name, "")) for name in ("subject", "what", "why", "todo", "command")}
    return Draft(MESSAGE, AbsenceContext(to=recipient(roster.current(session), row.person), link="", **said), row.key)
