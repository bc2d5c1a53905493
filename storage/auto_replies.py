"""Automatic replies: a person's mailbox answered a message of Baton by itself. One asks once for each person and day."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from storage import locks, wakes
from storage.tables import AutoReply, Delivery, Settled


def note(session: Session, row: Delivery, *, day: date, until: date | None, now: datetime) -> AutoReply | None:
    """Store the reply to this delivery; None if it is stored already. day: today in the person's zone.

    The first reply of a person and day has `asked` set: the caller asks then. Call inside a write transaction.
    """
    locks.take(session, [f"auto-reply {row.person}"])  # two replies at once ask once: the second waits here
    query = select(AutoReply.id).where(AutoReply.person == row.person, AutoReply.day == day, col(AutoReply.asked).is_(True))
    values: dict[str, Any] = {"person": row.person, "day": day, "at": now, "until": until, "handoff_id": row.handoff_id}
    values |= {"asked": session.exec(query.limit(1)).first() is None, "settled": "", "settled_by": ""}
    if not wakes.insert_once(session, AutoReply, delivery_id=row.id, **values):
        return None
    return session.exec(select(AutoReply).where(AutoReply.delivery_id == row.id)).one()


def open_of(session: Session, people: Collection[str]) -> list[AutoReply]:
    """Return the newest reply of each of these people about which nobody has decided, the newest first."""
    query = select(AutoReply).where(col(AutoReply.person).in_(list(people)), AutoReply.settled == "")
    newest: dict[str, AutoReply] = {}
    for row in session.exec(query.order_by(col(AutoReply.id).desc())):
        newest.setdefault(row.person, row)
    return list(newest.values())


def settle(session: Session, person: str, settled: Settled, *, by: str) -> None:
    """Settle every open reply of the person."""
    for row in session.exec(select(AutoReply).where(AutoReply.person == person, AutoReply.settled == "")):
        row.settled, row.settled_by = settled, by
        session.add(row)
