"""The state of calendar feeds: which one is asked next, when each was last read, and since when one fails."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from agreements.feed_address import host_of
from storage import wakes
from storage.tables import CalendarFeed


@dataclass(frozen=True, slots=True)
class Asked:
    """What was read of a feed. etag, modified: what its server calls the content; content: digest of it and of the time it was read for."""

    etag: str
    modified: str
    content: str
    absences: int


def everybodys(session: Session) -> Sequence[CalendarFeed]:
    """Return the state of every feed, by person."""
    return session.exec(select(CalendarFeed).order_by(col(CalendarFeed.person))).all()


def fit(rows: Sequence[CalendarFeed], addresses: Mapping[str, str]) -> bool:
    """Whether these rows are about these feeds. addresses: by person, as in the roster."""
    return {row.person: row.address for row in rows} == {person: _digest(address) for person, address in addresses.items()}


def take_over(session: Session, addresses: Mapping[str, str], *, now: datetime) -> list[str]:
    """Bring the rows in line with the roster. Return the people who have no feed any more.

    A new address is asked at once; what is known from the old one stays until then.
    """
    rows = {row.person: row for row in everybodys(session)}
    for person, address in addresses.items():
        digest, host, row = _digest(address), host_of(address), rows.get(person)
        if row is None:
            wakes.insert_once(session, CalendarFeed, person=person, address=digest, host=host, next_at=now, **_BLANK)
        elif row.address != digest:
            row.address, row.host, row.next_at = digest, host, now
            row.etag, row.modified, row.content = "", "", ""
            session.add(row)
    gone = [person for person in rows if person not in addresses]
    session.execute(delete(CalendarFeed).where(col(CalendarFeed.person).in_(gone)))
    return gone


def claim(session: Session, person: str, *, now: datetime, again: timedelta) -> CalendarFeed | None:
    """Return the feed if it is due, and set when it is due again; None if another process was faster."""
    due = (col(CalendarFeed.person) == person, col(CalendarFeed.next_at) <= now)
    taken = session.execute(update(CalendarFeed).where(*due).values(next_at=now + again, asked_at=now))
    return session.get(CalendarFeed, person, populate_existing=True) if taken.rowcount else None  # type: ignore[attr-defined]


def read(session: Session, person: str, asked: Asked | None, *, now: datetime) -> None:
    """Note that the feed was read. asked: None if it has not changed since the last time."""
    row = session.get(CalendarFeed, person)
    if row is None:  # the roster lost the feed while it was asked
        return
    row.good_at, row.failing_since, row.problem, row.told_at = now, None, "", None
    if asked is not None:
        row.etag, row.modified, row.content, row.absences = asked.etag, asked.modified, asked.content, asked.absences
    session.add(row)


def failed(session: Session, person: str, problem: str, *, now: datetime) -> CalendarFeed | None:
    """Note that the feed could not be read, and return its row. What was read before stays."""
    row = session.get(CalendarFeed, person)
    if row is not None:
        row.failing_since, row.problem = row.failing_since or now, problem[:300]
        session.add(row)
    return row


def _digest(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


_BLANK = {"problem": "", "etag": "", "modified": "", "content": "", "absences": 0}
