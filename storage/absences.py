"""Absences beside the roster file: told by command, read from a calendar feed, or confirmed after an automatic reply.

They are part of the roster that everybody reads: `roster.current` adds them. A roster file that is loaded later leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from agreements.absences import NewAbsence
from agreements.words import AbsenceSource
from storage import locks
from storage.tables import Absence, new_id


def add(session: Session, new: NewAbsence, *, by: str, now: datetime) -> Absence:
    """Store an absence, or bring the stored one with the same source and source_id to this state. Checks nothing: see `check_absence`.

    by: who or what told it.
    """
    _lock(session)
    return _put(session, new, by=by, now=now)


def replace(session: Session, person: str, source: AbsenceSource, found: Iterable[NewAbsence], *, by: str, now: datetime) -> int:
    """Make these the absences of the person from this source: add, change and remove. Return how many rows changed.

    found: all for this person and source, each with its own source_id.
    """
    _lock(session)
    wanted = {one.source_id: one for one in found}
    stored = {row.source_id: row for row in of_person(session, person) if row.source == source}
    for source_id, row in stored.items():
        if source_id not in wanted:
            _remove(session, row, now)
    changed = [one for source_id, one in wanted.items() if source_id not in stored or _as_new(stored[source_id]) != one]
    for one in changed:
        _put(session, one, by=by, now=now)
    return len(changed) + len(stored.keys() - wanted.keys())


def remove(session: Session, row: Absence, *, now: datetime) -> None:
    """Remove an absence as if it had never been. A second call changes nothing."""
    _lock(session)
    if row.removed_at is None:
        _remove(session, row, now)


def end(session: Session, row: Absence, *, at: datetime, now: datetime) -> None:
    """End an absence at that instant: the person was away until then. One that had not begun by then is removed."""
    _lock(session)
    if at <= row.starts_at:
        _remove(session, row, now)
    else:
        row.ends_at = at
        _changed(session, row)


def of_person(session: Session, person: str) -> list[Absence]:
    """Return the stored absences of a person, the earliest first."""
    known = select(Absence).where(Absence.person == person, col(Absence.removed_at).is_(None))
    return list(session.exec(known.order_by(col(Absence.starts_at), col(Absence.id))))


def everybodys(session: Session) -> Sequence[NewAbsence]:
    """Return every stored absence."""
    rows = session.exec(select(Absence).where(col(Absence.removed_at).is_(None)).order_by(col(Absence.id)))
    return [_as_new(row) for row in rows]


def newest_mark() -> Any:
    """Return the part of a query that names the state of all absences: text, NULL while there never was one."""
    return select(Absence.mark).order_by(col(Absence.change).desc()).limit(1).scalar_subquery()


def _lock(session: Session) -> None:
    """Let one transaction at a time change absences, so that each change has its own number."""
    locks.take(session, ["absences"])
    session.info.pop("roster", None)  # what this transaction has read of the roster is old from now on


def _put(session: Session, new: NewAbsence, *, by: str, now: datetime) -> Absence:
    same = (Absence.person == new.person, Absence.source == new.source, Absence.source_id == new.source_id)
    row = session.exec(select(Absence).where(*same)).first()
    if row is None:
        row = Absence(person=new.person, source=new.source, source_id=new.source_id, change=0)
    row.starts_at, row.ends_at, row.deputy = new.starts_at, new.ends_at, new.deputy
    row.by, row.noted_at, row.removed_at = by, now, None
    _changed(session, row)
    return row


def _remove(session: Session, row: Absence, now: datetime) -> None:
    row.removed_at = now
    _changed(session, row)


def _changed(session: Session, row: Absence) -> None:
    row.change, row.mark = (session.exec(select(func.max(Absence.change))).one() or 0) + 1, new_id()
    session.add(row)
    session.flush()


def _as_new(row: Absence) -> NewAbsence:
    return NewAbsence(row.person, row.starts_at, row.ends_at, row.source, row.source_id, row.deputy)
