"""What there is to do by time, asked in one statement: most of the time there is nothing, and a machine at rest should rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage import deliveries, disputes, due, proof, strays


def look(session: Session, *, now: datetime, real: datetime, post_given_up: timedelta) -> frozenset[str]:
    """The names of the parts of the clock that have something to do now.

    real: the real time, by which leases end. post_given_up: after that time a message that is being sent is lost. Each part is
    asked for with its own query, so the look never misses what the part would find.
    """
    asked: list[tuple[str, Any]] = [
        ("deadlines", due.missed_query(now, real)),
        ("nudges", due.nudges_query(now)),
        ("revisits", due.revisits_query(now)),
        ("messages", deliveries.post_query(now)),
        ("messages", deliveries.stale_post_query(real - post_given_up)),
        ("repair", strays.dead_query(real)),
        ("disputes", disputes.overdue_query(now)),
        ("proofs", proof.arrived_query(now)),
    ]
    found = session.execute(select(*(query.limit(1).scalar_subquery() for _, query in asked))).one()
    return frozenset(name for (name, _), row in zip(asked, found, strict=True) if row is not None)
