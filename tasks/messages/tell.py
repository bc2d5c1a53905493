"""Tell: send a message that needs no answer to a person who should know."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements import presence
from agreements.words import ChannelName
from storage import deliveries, roster
from storage.tables import Handoff


def tell(
    session: Session, handoff: Handoff, person: str, *, key: str, now: datetime, what: str, channels: tuple[ChannelName, ...] = ("email",)
) -> None:
    """Queues a message to this person, or to marketing if the person is not in the roster. A second call queues nothing more."""
    people = roster.current(session)
    if people.person(person) is None:
        what = f"{what} {person} should have been told, but is not in the roster."
        person, channels = presence.marketing(people, now), ("email",)
    for channel in channels:
        deliveries.queue(
            session,
            handoff,
            deliveries.Message("told", context={"what": what}),
            deliveries.Copy(f"{key}:told:{channel}", channel, person),
            now=now,
        )


def tell_its_rep(session: Session, handoff: Handoff, *, key: str, now: datetime, what: str) -> None:
    """Tells the rep who brought the lead in; does nothing if no rep did."""
    if handoff.brought_by:
        tell(session, handoff, handoff.brought_by, key=key, now=now, what=what)
