"""Link ends: the instant up to which a person's links no longer work."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from storage.tables import LinkEnd


def end(session: Session, person: str, *, now: datetime) -> None:
    """Ends every link that was written to this person until now. Call inside a write transaction."""
    row = session.get(LinkEnd, person) or LinkEnd(person=person)
    row.at = now
    session.add(row)
    session.flush()


def ended_at(session: Session, person: str) -> datetime | None:
    """The instant up to which this person's links no longer work, None where none was ended."""
    row = session.get(LinkEnd, person)
    return row.at if row else None
