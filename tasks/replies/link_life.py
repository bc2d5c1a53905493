"""Link life: whether a link still opens anything, by who it is for and when it was written."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.errors import LinkInvalid, LinkOver
from agreements.roster import Roster
from storage import link_ends

#: So long a link acts that opens more than one lead: a digest's, a manager's own, and the list of what may be disputed.
ACTS_FOR = timedelta(hours=48)


def require_good(session: Session, people: Roster, person: str, at: datetime | None, *, now: datetime, opens_many: bool = False) -> None:
    """Raises LinkInvalid for the link of somebody who is not in the roster, LinkOver for one that was ended or is too old.

    at: when it was written, None for one that does not say so. opens_many: it opens more than one lead, so it ends by itself.
    """
    if people.person(person) is None:
        raise LinkInvalid()
    ended = link_ends.ended_at(session, person)
    if ended is not None and (at is None or at <= ended):
        raise LinkOver()
    if opens_many and (at is None or now >= at + ACTS_FOR):
        raise LinkOver()
