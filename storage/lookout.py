"""What there is to do by time, asked in one statement: most of the time there is nothing, and a machine at rest should rest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage import deliveries, disputes, due, proof, strays


def look(session: Session, *, now: datetime, real: datetime, post_given_up: timedelta) -> frozenset[str]:
    """Which of these there are: deadlines that were missed, nudges and revisits that are due, messages that no run sends, attempts
    that died, disputes to settle, proofs that count by now.

    real: the real time, by which leases end; post_given_up: after that time a message that is being sent is lost. Each is asked
    for as whoever deals with it asks, and never says no where they would find something.
    """
    asked: dict[str, Any] = {
        "deadlines": due.missed_query(now, real),
        "nudges": due.nudges_query(now),
        "revisits": due.revisits_query(now),
        "messages": deliveries.post_query(now),
        "lost messages": deliveries.stale_post_query(real - post_given_up),
        "repair": strays.dead_query(real),
        "disputes": disputes.overdue_query(now),
        "proofs": proof.arrived_query(now),
    }
    found = session.execute(select(*(query.limit(1).scalar_subquery() for query in asked.values()))).one()
    return frozenset(name for name, row in zip(asked, found, strict=True) if row is not None)
