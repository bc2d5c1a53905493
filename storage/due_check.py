"""Asks in one statement which timed work is due. Most of the time there is none, and an idle machine should stay idle."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from storage import crm_changes, deliveries, disputes, due, enrolments, kept_payloads, opportunities, proof, strays


def look(session: Session, *, now: datetime, real: datetime, personal_given_up: timedelta) -> frozenset[str]:
    """The names of the parts of the clock that have something to do now.

    real: the real time, which decides when leases end. personal_given_up: a message still being sent after this long is
    lost. The look runs each part's own query, so it never misses what the part would find.
    """
    asked: list[tuple[str, Any]] = [
        ("deadlines", due.missed_query(now, real)),
        ("nudges", due.nudges_query(now)),
        ("revisits", due.revisits_query(now)),
        ("messages", deliveries.personal_query(now)),
        ("messages", deliveries.stale_personal_query(real - personal_given_up)),
        ("repair", strays.dead_query(real)),
        ("disputes", disputes.overdue_query(now)),
        ("nurture tracks", enrolments.due_query(now)),
        ("proofs", proof.arrived_query(now)),
        ("changes that wait", crm_changes.waiting_query()),
        ("a reading of the CRM", crm_changes.asked_query()),
        ("stalled opportunities", opportunities.stalling_query(now)),
        ("leads to fetch", kept_payloads.due_query(now)),
    ]
    found = session.execute(select(*(query.limit(1).scalar_subquery() for _, query in asked))).one()
    return frozenset(name for (name, _), row in zip(asked, found, strict=True) if row is not None)
