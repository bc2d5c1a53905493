"""Link life: whether a link still works, by its person and by when it was written."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.errors import LinkInvalid, LinkOver
from agreements.roster import Roster
from storage import link_ends

#: How long a link works that opens more than one lead: a digest's, a manager's own page, and the list for disputes.
ACTS_FOR = timedelta(hours=48)


def require_good(session: Session, people: Roster, person: str, at: datetime | None, *, now: datetime, opens_many: bool = False) -> None:
    """Raises LinkInvalid if the link's person is not in the roster, LinkOver if the link was ended or is too old.

    at: when the link was written, None if it does not say. opens_many: the link opens more than one lead, so it expires.
    """
    if people.person(person) is None:
        raise LinkInvalid()
    ended = link_ends.ended_at(session, person)
    if ended is not None and (at is None or at <= ended):
        raise LinkOver()
    if opens_many and (at is None or now >= at + ACTS_FOR):
        raise LinkOver()
