"""Changes that were read from the CRM: each is stored once, taken once, and forgotten after some weeks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete
from sqlmodel import Session, col, select

from storage import wakes
from storage.crm.port import Change
from storage.tables import Bookmark, CrmChange

#: How long a change is remembered. Webhooks and repeated readings come again within days.
REMEMBERED = timedelta(days=30)
#: How many old changes one transaction forgets.
FORGET_AT_ONCE = 50
#: Not empty while somebody asks for a reading now.
SOON = "crm-soon"


def store(session: Session, changes: Sequence[Change], *, now: datetime) -> int:
    """Stores those of these changes that were not read before; returns how many."""
    rows = [
        {
            "id": name_of(one),
            "lead_id": one.lead_number,
            "kind": one.kind,
            "by": one.by,
            "at": one.at,
            "details": dict(one.values),
            "read_at": now,
        }
        for one in changes
    ]
    return wakes.insert_new(session, CrmChange, list({row["id"]: row for row in rows}.values()))


def name_of(change: Change) -> str:
    """The name of a change for ever: the CRM's own, else one made from what the change says."""
    if 0 < len(change.id) <= 200:
        return change.id
    said = repr((change.id, change.kind, change.lead_number, change.by, change.at.isoformat(), sorted(change.values.items())))
    return hashlib.sha256(said.encode()).hexdigest()


def waiting_query() -> Select[Any]:
    """A query for the changes that were not taken yet, the earliest first."""
    return select(CrmChange.id).where(col(CrmChange.taken_at).is_(None)).order_by(col(CrmChange.at), col(CrmChange.id))


def waiting(session: Session, *, after: tuple[datetime, str] | None, limit: int) -> list[CrmChange]:
    """The next changes that were not taken yet, the earliest first. after: the last one of the page before."""
    query = select(CrmChange).where(col(CrmChange.taken_at).is_(None))
    if after is not None:
        at, ident = after
        query = query.where((col(CrmChange.at) > at) | ((col(CrmChange.at) == at) & (col(CrmChange.id) > ident)))
    return list(session.exec(query.order_by(col(CrmChange.at), col(CrmChange.id)).limit(limit)))


def locked(session: Session, change_id: str) -> CrmChange | None:
    """The change, if nobody has taken it. Nobody else takes it until this transaction ends."""
    query = select(CrmChange).where(CrmChange.id == change_id, col(CrmChange.taken_at).is_(None))
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).first()


def taken(session: Session, row: CrmChange, *, now: datetime) -> None:
    """Marks the change as taken. What it said is forgotten."""
    row.taken_at, row.details = now, {}
    session.add(row)


def forget(session: Session, *, now: datetime) -> None:
    """Forgets some of the changes that were taken long ago."""
    old = select(CrmChange.id).where(col(CrmChange.taken_at) < now - REMEMBERED).order_by(col(CrmChange.taken_at)).limit(FORGET_AT_ONCE)
    session.execute(delete(CrmChange).where(col(CrmChange.id).in_(old)).execution_options(synchronize_session=False))


def ask_to_read(session: Session, *, now: datetime) -> None:
    """Asks for a reading of the CRM now. Several requests before the reading are one."""
    session.merge(Bookmark(name=SOON, value=now.isoformat()))


def asked_query() -> Select[Any]:
    """A query that finds a row while somebody asks for a reading now."""
    return select(Bookmark.value).where(Bookmark.name == SOON, Bookmark.value != "")


def was_read(session: Session, asked: str) -> None:
    """Notes that the CRM was read for this request. A newer request stays."""
    row = session.get(Bookmark, SOON, with_for_update=True)
    if row is not None and row.value == asked:
        row.value = ""
        session.add(row)
