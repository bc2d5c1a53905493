"""Starting rows for storage tests: a lead with a handoff, and a wait."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import class_mapper
from sqlmodel import Session, SQLModel, func, select

from storage import waits
from storage.database import Database
from storage.tables import Handoff, Lead, Wait, Wake
from tasks.wiring.toolbox import Toolbox

Row = TypeVar("Row", bound=SQLModel)


def a_handoff(session: Session, now: datetime, **changes: Any) -> Handoff:
    """Create a new lead's handoff, which ana has had since now."""
    lead = Lead(company="Harbour", created_at=now)
    session.add(lead)
    session.flush()
    given = {"stage": "assigned", "step": "acceptance", "rep": "ana", "owner": "ana", "created_at": now}
    handoff = Handoff(**{"lead_id": lead.id, **given, **changes})
    session.add(handoff)
    session.flush()
    return handoff


def a_wait(session: Session, now: datetime, **changes: Any) -> Wait:
    """Create a new handoff's wait for acceptance, due in an hour."""
    given = {"holder": "ana", "due_at": now + timedelta(hours=1)}
    kind = changes.pop("kind", "acceptance")
    return waits.open_wait(session, a_handoff(session, now), waits.NewWait(kind, **{**given, **changes}), now=now)


def all_of(session: Session, table: type[Row]) -> list[Row]:
    """Return every row of this table, in the order of its primary key."""
    return list(session.exec(select(table).order_by(*class_mapper(table).primary_key)))


def all_at(url: str, table: type[Row]) -> list[Row]:
    """Return every row of this table in the database at that URL, in the order of its primary key."""
    database = Database(url)
    with database.read() as session:
        found = all_of(session, table)
    database.close()
    return found


def woken(box: Toolbox) -> int:
    """Return how many handoffs have a wake."""
    return box.read_now(lambda session, now: session.exec(select(func.count(func.distinct(Wake.handoff_id)))).one())
