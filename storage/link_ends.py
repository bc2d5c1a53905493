"""Link ends: from when on the links that were written to a person before act no more."""

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
    """Until when the links that were written to this person are over, None where none was ended."""
    row = session.get(LinkEnd, person)
    return row.at if row else None
