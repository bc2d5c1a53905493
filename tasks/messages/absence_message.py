"""The message about somebody's absence that is about no lead: a calendar feed that is down, or a mailbox that answers by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.absences import away_command
from agreements.roster import Roster
from notifications.letter import AbsenceContext
from notifications.links import Links
from storage import deliveries, roster
from storage.tables import AutoReply, CalendarFeed, Delivery
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import number_of, recipient

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


def tell_of_reply(session: Session, people: Roster, reply: AutoReply, to: str, *, now: datetime) -> None:
    """Queue the message to the person who decides: somebody's mailbox answered by itself. Its link opens what that person can record."""
    name = people.name_of(reply.person)
    context = {
        "subject": f"{name} may be away",
        "what": f"The mailbox of {name} answered a message of Baton by itself, so {name} may be away.",
        "why": "No lead waits for an answer because of this message.",
        "todo": f"Say until when {name} is away, or that {name} is there. Open leads are then handed over as agreed.",
        "command": away_command(reply.person, reply.until),
        "page": True,
    }
    copy = deliveries.Copy(f"{MESSAGE}:reply:{reply.person}:{reply.day}:email", "email", to)
    deliveries.queue(session, None, deliveries.Message(MESSAGE, context=context), copy, now=now)


def draft_of(session: Session, row: Delivery, links: Links, *, now: datetime) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    said = {name: str(row.context.get(name, "")) for name in ("subject", "what", "why", "todo", "command")}
    link = links.for_person(row.person, at=now) if row.context.get("page") else ""
    context = AbsenceContext(to=recipient(roster.current(session), row.person), link=link, number=number_of(links, link), **said)
    return Draft(MESSAGE, context, row.key)
