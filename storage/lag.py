"""Lag: for how long due work has waited, as the database shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from storage import due
from storage.tables import Handoff, Wait, Wake
from storage.wakes import Urgency


@dataclass(frozen=True, slots=True)
class Undelivered:
    """The wakes of one urgency that are due and that no attempt has read. oldest: since when the oldest is due, None for none."""

    count: int = 0
    oldest: datetime | None = None


def oldest_due(session: Session, *, now: datetime, real: datetime) -> datetime | None:
    """Since when the oldest work is due that the clock or an attempt should have done by now, in Baton's time; None where nothing is late.

    Leads that begin when there is time for them, as after an import, count in no alarm.
    """
    since = [_oldest_wait(session, now=now, real=real)]
    since += [one.oldest for urgency, one in undelivered(session, now=now).items() if urgency != Urgency.LATER]
    return min((at for at in since if at is not None), default=None)


def _oldest_wait(session: Session, *, now: datetime, real: datetime) -> datetime | None:
    """The oldest wait whose time has come and that the clock has not dealt with. A stuck or held lead waits for a person."""
    rests = select(Handoff.id).where(Handoff.stage == Stage.STUCK.value)
    asked: list[tuple[Any, Any]] = [
        (due.missed_query(now, real), Wait.due_at),
        (due.nudges_query(now), Wait.next_at),
        (due.revisits_query(now), Wait.next_at),
    ]
    oldest = [query.where(col(Wait.handoff_id).not_in(rests)).with_only_columns(at).limit(1).scalar_subquery() for query, at in asked]
    found = session.execute(select(*oldest)).one()
    return min((at for at in found if at is not None), default=None)


def undelivered(session: Session, *, now: datetime) -> dict[Urgency, Undelivered]:
    """The due wakes by urgency, without those of leads that are stuck or held."""
    rests = select(Handoff.id).where(Handoff.stage == Stage.STUCK.value)
    held = select(Handoff.id).where(col(Handoff.held).is_(True))
    query = select(func.count(), func.min(Wake.not_before)).where(col(Wake.not_before) <= now)
    query = query.where(col(Wake.handoff_id).not_in(rests), col(Wake.handoff_id).not_in(held))
    each = (query.where(col(Wake.urgency) == urgency.value) for urgency in Urgency)  # each reads a stretch of the index
    return {urgency: Undelivered(*session.execute(one).one()) for urgency, one in zip(Urgency, each, strict=True)}
