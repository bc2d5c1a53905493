"""Enrolments: the rows that say whether nurtured leads are in their track at the marketing automation."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import update
from sqlmodel import Session, col, select

from storage.tables import Enrolment, EnrolmentState

_KEY: Final = re.compile(r"enrolment:(\d{1,18}):(\d{1,9})", re.ASCII)
#: How long a try may take before its process counts as dead, and the automation is told again under the same key.
A_TRY: Final = timedelta(minutes=5)
#: Minutes until the automation is told again after a passing error, by the number of tries so far.
BACK_OFF_MINUTES: Final = (1, 5, 15, 60)


def want(session: Session, handoff_id: int, lead_id: int, track: str, *, now: datetime, due_at: datetime) -> None:
    """Asks for the lead to be in this track. Baton tells the automation next. due_at: when the confirmation is due."""
    row = of_handoff(session, handoff_id) or Enrolment(handoff_id=handoff_id, lead_id=lead_id, track=track, turn=0, since=now)
    row.track, row.wanted = track, "in"
    anew(row, now=now, due_at=due_at)
    session.add(row)


def leave(session: Session, handoff_id: int, *, now: datetime) -> None:
    """Asks for the lead to be taken out of its track, if it was to be in one. The confirmation is due when Baton has told it."""
    wanted: dict[str, Any] = {
        "wanted": "out",
        "turn": col(Enrolment.turn) + 1,
        "state": EnrolmentState.WAITING.value,
        "since": now,
        "due_at": None,
    }
    wanted |= {"next_at": now, "rung": 0, "tries": 0, "proof": "", "error": ""}
    mine = (col(Enrolment.handoff_id) == handoff_id, col(Enrolment.wanted) == "in")
    session.execute(update(Enrolment).where(*mine).values(**wanted).execution_options(synchronize_session="fetch"))


def anew(row: Enrolment, *, now: datetime, due_at: datetime | None) -> None:
    """Begins the work of this row again, under a new key."""
    row.turn, row.state, row.since, row.due_at, row.next_at = row.turn + 1, EnrolmentState.WAITING, now, due_at, now
    row.rung, row.tries, row.proof, row.error = 0, 0, "", ""


def of_handoff(session: Session, handoff_id: int, *, lock: bool = False) -> Enrolment | None:
    """The enrolment of this handoff, None where there is none."""
    query = select(Enrolment).where(Enrolment.handoff_id == handoff_id)
    return session.exec(query.with_for_update().execution_options(populate_existing=True) if lock else query).first()


def newest_of(session: Session, lead_id: int, *, lock: bool = False) -> Enrolment | None:
    """The newest enrolment of this lead, None where there is none."""
    query = select(Enrolment).where(Enrolment.lead_id == lead_id).order_by(col(Enrolment.id).desc()).limit(1)
    return session.exec(query.with_for_update().execution_options(populate_existing=True) if lock else query).first()


def of_key(session: Session, key: str, *, lock: bool = False) -> Enrolment | None:
    """The row that this key names, whichever of its turns; None where Baton has sent no such key."""
    found = _KEY.fullmatch(key)
    row = session.get(Enrolment, int(found[1]), with_for_update=lock or None, populate_existing=lock) if found else None
    return row if row and found and 1 <= int(found[2]) <= row.turn else None


def due_query(now: datetime) -> Any:
    """A query for the ids of the rows that want a try or a look, the longest due first."""
    return select(Enrolment.id).where(col(Enrolment.next_at).is_not(None), col(Enrolment.next_at) <= now).order_by(col(Enrolment.next_at))


def due(session: Session, *, now: datetime, limit: int) -> list[int]:
    """The ids of the rows that want a try or a look."""
    return list(session.exec(due_query(now).limit(limit)))


def open_rows(session: Session, *, limit: int) -> list[Enrolment]:
    """The rows that are not settled: not told yet, not confirmed, or refused. The oldest first."""
    query = select(Enrolment).where(col(Enrolment.next_at).is_not(None))
    return list(session.exec(query.order_by(col(Enrolment.since), col(Enrolment.id)).limit(limit)))


def key_of(row: Enrolment) -> str:
    """The key under which the automation is told what is wanted now. It names the row and its turn for ever."""
    return f"enrolment:{row.id}:{row.turn}"
