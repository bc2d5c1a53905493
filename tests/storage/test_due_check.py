"""The one look of a tick: it says that there is something wherever whoever deals with it would find something."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, delete

from storage import deliveries, due_check, kept_payloads, opportunities
from storage.database import Database
from storage.tables import Answer, Delivery, DeliveryState, Dispute, Wake
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff, a_wait

REAL = datetime(2026, 11, 30, 9, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GIVEN_UP = timedelta(minutes=5)


def seen(database: Database, *, now: datetime = MONDAY, real: datetime = REAL) -> set[str]:
    with database.read() as session:
        return set(due_check.look(session, now=now, real=real, personal_given_up=GIVEN_UP))


def a_nudge(session: Session) -> None:
    a_wait(session, MONDAY, next_at=MONDAY)
    session.execute(delete(Wake))


def a_deadline(session: Session) -> None:
    a_wait(session, MONDAY, due_at=MONDAY)


def a_revisit(session: Session) -> None:
    a_wait(session, MONDAY, kind="revisit", due_at=MONDAY)


def a_quiet_opportunity(session: Session) -> None:
    handoff = a_handoff(session, MONDAY)
    at = MONDAY - timedelta(days=30)
    opportunities.begin(session, "deal-1", lead_id=handoff.lead_id, handoff=handoff, owner="ana", at=at)
    opportunities.watch(session, the(opportunities.named(session, "deal-1")))


def post(session: Session) -> None:
    deliveries.queue(session, None, deliveries.Message("device-code"), deliveries.Copy("code", "email", "ana"), now=MONDAY)


def lost_post(session: Session) -> None:
    post(session)
    session.flush()
    assert deliveries.claim(session, 1, real=REAL - 2 * GIVEN_UP)


def a_dead_attempt(session: Session) -> None:
    a_handoff(session, MONDAY, lease_by="a process", lease_until=REAL - MINUTE)


def a_dispute(session: Session) -> None:
    wait = a_wait(session, MONDAY)
    said: dict[str, Any] = {"kind": "rejected", "by": "ana", "via": "link", "answered_at": MONDAY, "effective_at": MONDAY}
    answer = Answer(wait_id=wait.id, handoff_id=wait.handoff_id, **said)
    session.add(answer)
    session.flush()
    given: dict[str, Any] = {"raised_by": "mina", "via": "link", "holder": "maria", "raised_at": MONDAY, "due_at": MONDAY}
    session.add(Dispute(answer_id=answer.id, handoff_id=wait.handoff_id, lead_id=1, **given))


def an_arrival(session: Session) -> None:
    handoff = a_handoff(session, MONDAY)
    known: dict[str, Any] = {"channel": "email", "message": "assigned", "person": "ana", "send_at": MONDAY, "state": DeliveryState.SENT}
    session.add(Delivery(key="sent", handoff_id=handoff.id, confirm_at=MONDAY, **known))


def a_lead_to_fetch(session: Session) -> None:
    new = kept_payloads.NewPayload("key", "facebook", b"{}", "application/json")
    kept_payloads.keep(session, new, now=MONDAY, next_at=MONDAY)


@pytest.mark.parametrize(
    ("prepare", "name"),
    [
        (a_nudge, "nudges"),
        (a_deadline, "deadlines"),
        (a_revisit, "revisits"),
        (a_quiet_opportunity, "stalled opportunities"),
        (post, "messages"),
        (lost_post, "messages"),
        (a_dead_attempt, "repair"),
        (a_dispute, "disputes"),
        (an_arrival, "proofs"),
        (a_lead_to_fetch, "leads to fetch"),
    ],
)
def test_what_is_due_is_seen_from_its_instant_on(database: Database, prepare: Callable[[Session], None], name: str) -> None:
    before = seen(database)
    with database.write() as session:
        prepare(session)

    assert before == set()
    assert seen(database, now=MONDAY - MINUTE, real=REAL - 3 * HOUR) == set()
    assert seen(database) == {name}


def test_a_deadline_is_left_to_the_attempt_that_carries_the_lead_out(database: Database) -> None:
    with database.write() as session:
        wait = a_wait(session, MONDAY, due_at=MONDAY)
        session.execute(delete(Wake))
        handoff = a_handoff(session, MONDAY, lease_by="a process", lease_until=REAL + MINUTE)
        wait.handoff_id = handoff.id

    assert seen(database) == set()
    assert "deadlines" in seen(database, real=REAL + HOUR)
