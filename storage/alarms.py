"""Alarms as rows: at most one of a kind and subject is open, whichever process finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from agreements.alarms import Found
from storage import wakes
from storage.tables import Alarm, Bookmark

#: The bookmark that says when some process looked last, in real time.
_LOOKED: Final = "alarms"
#: So many open alarms are read at a look, and so many ended ones are listed.
MOST = 1_000


def is_turn(session: Session, *, real: datetime, every: timedelta) -> bool:
    """Whether nobody has looked for so long. A time in the future comes from a clock that was set back, and counts as long ago."""
    row = session.get(Bookmark, _LOOKED)
    return row is None or abs(real - datetime.fromisoformat(row.value)) >= every


def take_turn(session: Session, *, real: datetime, every: timedelta) -> bool:
    """Takes the turn to look; False where another process has taken it. Call inside a write transaction."""
    if wakes.insert_once(session, Bookmark, name=_LOOKED, value=real.isoformat()):
        return True
    row = session.get(Bookmark, _LOOKED, populate_existing=True)
    if row is None or not is_turn(session, real=real, every=every):
        return False
    mine = update(Bookmark).where(col(Bookmark.name) == _LOOKED, col(Bookmark.value) == row.value)
    return bool(session.execute(mine.values(value=real.isoformat())).rowcount)  # type: ignore[attr-defined]


def open_ones(session: Session) -> list[Alarm]:
    """The open alarms, also those that were not seen often enough to count, the oldest first."""
    return list(session.exec(select(Alarm).where(col(Alarm.ended_at).is_(None)).order_by(col(Alarm.id)).limit(MOST)))


def note(session: Session, found: Found, *, now: datetime, counts: bool) -> Alarm | None:
    """Stores a new alarm; None where one is open already. counts: it need not be seen again."""
    row: dict[str, Any] = {"kind": found.kind, "subject": found.subject}
    more = {"facts": dict(found.facts), "since": found.since or now, "seen": 1, "began_at": now if counts else None, "ended_at": None}
    if not wakes.insert_once(session, Alarm, **row, **more, telling="", told_by=""):
        return None
    return session.exec(select(Alarm).filter_by(**row).where(col(Alarm.ended_at).is_(None))).one()


def drop(session: Session, ids: Sequence[int]) -> None:
    """Deletes alarms that never counted."""
    session.execute(delete(Alarm).where(col(Alarm.id).in_(ids), col(Alarm.began_at).is_(None)))


def tell_with(session: Session, rows: Sequence[Alarm], key: str) -> None:
    """Notes the key of the operator's message that tells of these alarms."""
    for row in rows:
        row.telling = key
        session.add(row)


def to_tell(session: Session, *, limit: int = 20) -> list[str]:
    """The keys of the operator's messages that are under way."""
    query = select(Alarm.telling).where(Alarm.telling != "").distinct().order_by(Alarm.telling).limit(limit)
    return list(session.exec(query))


def told(session: Session, key: str, *, by: str) -> None:
    """Notes that the message with this key arrived on a channel, or cannot arrive on any (by: empty)."""
    session.execute(update(Alarm).where(col(Alarm.telling) == key).values(telling="", told_by=by))


def lately(session: Session, *, limit: int = 100) -> list[Alarm]:
    """The newest alarms that counted, open or ended, the newest first."""
    return list(session.exec(select(Alarm).where(col(Alarm.began_at).is_not(None)).order_by(col(Alarm.id).desc()).limit(limit)))
