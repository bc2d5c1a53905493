"""Sights: requests for the pages behind a link. They tell that somebody or something looked, never that a person did."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete, select

from storage.tables import Sight

#: So many are kept of one assignment, or of one wait without an assignment: a robot that looks all day fills no table.
KEPT = 50


def record(
    session: Session,
    *,
    now: datetime,
    handoff_id: int,
    assignment_id: str = "",
    wait_id: str = "",
    person: str = "",
    method: str,
    what: str,
    device: str,
    agent: str = "",
    age_seconds: float = -1.0,
) -> None:
    """Keeps one request; where as many as are kept are there already, the oldest goes. Call inside a write transaction."""
    session.add(
        Sight(
            at=now,
            handoff_id=handoff_id,
            assignment_id=assignment_id,
            wait_id=wait_id,
            person=person,
            method=method,
            what=what,
            device=device,
            agent=agent[:200],
            age_seconds=age_seconds,
        )
    )
    session.flush()
    same = (Sight.assignment_id == assignment_id) if assignment_id else (col(Sight.assignment_id) == "") & (Sight.wait_id == wait_id)
    query = select(Sight.id).where(Sight.handoff_id == handoff_id, same).order_by(col(Sight.id).desc()).offset(KEPT)
    if too_many := list(session.exec(query)):
        session.execute(delete(Sight).where(col(Sight.id).in_(too_many)))


def seen(session: Session, assignment_id: str) -> bool:
    """Whether anybody or anything ever asked for the page of this tenure. A HEAD shows nothing, so it is no look."""
    query = select(Sight.id).where(Sight.assignment_id == assignment_id, Sight.method != "HEAD")
    return bool(assignment_id) and session.exec(query.limit(1)).first() is not None
