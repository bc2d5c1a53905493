"""Requests for the pages behind a link. They show that somebody or something looked, never that a person did."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session, col, delete, select

from agreements.words import NoWord
from storage.devices import ENROLLED, KNOWN
from storage.tables import Look, SeenAs, Sight

#: The device of a browser that is known as somebody else's, and not as the page owner's.
OTHERS: Final = "others"
#: The most requests kept for one assignment, or for one wait without an assignment: a robot that looks all day fills no table.
KEPT = 50


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page behind a link, with its own time. at: aware; method, what, device: as in Sight; agent: the browser's own name;
    age_seconds: from showing the form to sending it, -1 where no form was shown."""

    at: datetime
    handoff_id: int
    what: Look
    method: str = ""
    device: SeenAs | NoWord = ""
    assignment_id: str = ""
    wait_id: str = ""
    person: str = ""
    agent: str = ""
    age_seconds: float = -1.0


def record(session: Session, request: PageRequest) -> None:
    """Keeps one request. At the limit the oldest goes. Call inside a write transaction."""
    session.add(Sight(**{**asdict(request), "agent": request.agent[:200]}))
    session.flush()
    of = request.assignment_id
    same = (Sight.assignment_id == of) if of else (col(Sight.assignment_id) == "") & (Sight.wait_id == request.wait_id)
    query = select(Sight.id).where(Sight.handoff_id == request.handoff_id, same).order_by(col(Sight.id).desc()).offset(KEPT)
    oldest = session.exec(query.limit(1)).first()
    if oldest is not None:
        session.execute(delete(Sight).where(col(Sight.id) == oldest))


def seen_by(session: Session, handoff_id: int, person: str, *, assignment_id: str, since: datetime | None) -> bool:
    """Whether this person has opened the lead's page since then, in a browser that was known as theirs.

    assignment_id: the assignment, empty for a page without one. A look within the last second may not be written yet.
    """
    query = select(Sight.id).where(Sight.handoff_id == handoff_id, Sight.person == person, Sight.assignment_id == assignment_id)
    query = query.where(col(Sight.device).in_([KNOWN, ENROLLED]), Sight.method != "HEAD")
    if since is not None:
        query = query.where(col(Sight.at) >= since)
    return session.exec(query.limit(1)).first() is not None


def seen(session: Session, assignment_id: str) -> bool:
    """Whether the rep of this assignment ever asked for its page, as far as a request shows. A HEAD shows nothing, so it does not count.

    A browser that is known as somebody else's is not the rep's. An unknown browser may be: every browser is unknown at the first look.

    A look within the last second may not be written yet (app/web/page_request_queue.py).
    """
    query = select(Sight.id).where(Sight.assignment_id == assignment_id, Sight.method != "HEAD", Sight.device != OTHERS)
    return bool(assignment_id) and session.exec(query.limit(1)).first() is not None
