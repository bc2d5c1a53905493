"""Chores: deletions still to do at the Prefect server. Each is stored before it is done, so that none is forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from storage import wakes
from storage.tables import PrefectChore

INPUT: Final = "input"
RUN: Final = "run"
LEAD: Final = "lead"


def add_input(session: Session, run_id: str, name: str, *, now: datetime) -> bool:
    """Asks for deletion of what was typed in this form. False where that was asked before: the form was then read before, too."""
    return wakes.insert_once(session, PrefectChore, key=f"{INPUT}:{name}", kind=INPUT, run_id=run_id, name=name, since=now)


def add_lead(session: Session, lead_id: int, run_ids: Iterable[str], *, now: datetime) -> None:
    """Asks for deletion of all runs of this lead: those that Baton knows, and any other with the lead's tag."""
    rows = [{"key": f"{LEAD}:{lead_id}", "kind": LEAD, "run_id": "", "name": str(lead_id), "since": now}]
    rows += [{"key": f"{RUN}:{one}", "kind": RUN, "run_id": one, "name": "", "since": now} for one in dict.fromkeys(run_ids)]
    wakes.insert_new(session, PrefectChore, rows)


def next_ones(session: Session, *, after: int = 0, limit: int) -> list[PrefectChore]:
    """The oldest chores after that number."""
    return list(session.exec(select(PrefectChore).where(col(PrefectChore.id) > after).order_by(col(PrefectChore.id)).limit(limit)))


def count(session: Session) -> int:
    """How many chores are left."""
    return session.exec(select(func.count()).select_from(PrefectChore)).one()


def input_deleted(session: Session, name: str) -> None:
    """Removes the chore for this form, which was done."""
    session.execute(delete(PrefectChore).where(col(PrefectChore.key) == f"{INPUT}:{name}"))


def done(session: Session, ident: int) -> None:
    """Removes a chore that was done."""
    session.execute(delete(PrefectChore).where(col(PrefectChore.id) == ident))
