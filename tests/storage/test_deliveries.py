"""Messages: the row exists before the send, one key is one message, and what may have gone out is never sent again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from agreements.words import ChannelName
from storage import deliveries, handoffs, proof
from storage.database import Database
from storage.tables import Delivery, DeliveryState, Event, Handoff, Wake
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff
from tests.storage.plans import recorded

MINUTE = timedelta(minutes=1)


@pytest.fixture
def handoff(database: Database) -> Handoff:
    with database.write() as session:
        return a_handoff(session, MONDAY)


def queue(
    database: Database,
    handoff: Handoff,
    key: str = "key",
    *,
    channel: ChannelName = "email",
    person: str = "ana",
    send_at: datetime | None = None,
    **about: Any,
) -> bool:
    message, copy = deliveries.Message("assigned", **about), deliveries.Copy(key, channel, person)
    with database.write() as session:
        return deliveries.queue(session, handoff, message, copy, now=MONDAY, send_at=send_at)


def rows(database: Database) -> list[Delivery]:
    with database.read() as session:
        return list(session.exec(select(Delivery).order_by(col(Delivery.id))))


def wakes_of(session: Session) -> list[tuple[str, object]]:
    return [(row.key, row.not_before) for row in session.exec(select(Wake).order_by(col(Wake.id)))]


def due(database: Database, handoff: Handoff, *, now: datetime = MONDAY) -> list[str]:
    with database.read() as session:
        return [row.key for row in deliveries.due(session, handoff.id, now=now)]


def test_a_message_is_a_row_and_a_wake_before_it_is_sent(database: Database, handoff: Handoff) -> None:
    assert queue(database, handoff)

    [row] = rows(database)
    assert (row.state, row.tries, row.send_at) == (DeliveryState.QUEUED, 0, MONDAY)
    with database.read() as session:
        assert wakes_of(session) == [("speak:key:0", MONDAY)]


def test_the_same_key_twice_is_one_message(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)

    assert not queue(database, handoff, person="ben")
    assert [row.person for row in rows(database)] == ["ana"]


def test_a_message_is_not_due_before_its_time(database: Database, handoff: Handoff) -> None:
    queue(database, handoff, send_at=MONDAY + MINUTE)

    assert due(database, handoff) == []
    assert due(database, handoff, now=MONDAY + MINUTE) == ["key"]


def test_what_is_due_is_in_order(database: Database, handoff: Handoff) -> None:
    for key, assignment in (("first", "a"), ("second", "b"), ("third", "a")):
        queue(database, handoff, key, assignment_id=assignment)

    assert due(database, handoff) == ["first", "second", "third"]


def test_a_message_is_claimed_by_one_sender(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)

    with database.write() as session:
        assert deliveries.claim(session, 1)
        assert not deliveries.claim(session, 1)
    [row] = rows(database)
    assert (row.state, row.tries) == (DeliveryState.SENDING, 1)


def test_a_message_that_was_taken_is_confirmed_with_its_proof(database: Database, handoff: Handoff) -> None:
    queue(database, handoff, assignment_id="tenure")
    with database.write() as session:
        deliveries.claim(session, 1)
        deliveries.succeeded(session, the(session.get(Delivery, 1)), handoff, proof="p" * 300, now=MONDAY)

    [row] = rows(database)
    assert (row.state, row.proof, row.sent_at) == (DeliveryState.CONFIRMED, "p" * 200, MONDAY)
    with database.read() as session:
        assert deliveries.proven_channels(session, "tenure") == {"email"}


def test_what_was_being_sent_when_an_attempt_died_is_unknown_and_not_due_again(database: Database, handoff: Handoff) -> None:
    queue(database, handoff, assignment_id="tenure")
    with database.write() as session:
        deliveries.claim(session, 1)

    with database.write() as session:
        assert deliveries.abandon_half_sent(session, handoffs.get(session, handoff.id), now=MONDAY) == 1

    [row] = rows(database)
    assert row.state == DeliveryState.UNKNOWN
    assert due(database, handoff, now=MONDAY + timedelta(days=30)) == []
    assert not queue(database, handoff, assignment_id="tenure")
    with database.read() as session:
        assert deliveries.proven_channels(session, "tenure") == set()
        assert [event.kind for event in session.exec(select(Event))] == ["delivery-unknown"]


def test_what_another_handoff_is_sending_is_left_alone(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    with database.write() as session:
        deliveries.claim(session, 1)
        assert deliveries.abandon_half_sent(session, a_handoff(session, MONDAY), now=MONDAY) == 0


def test_a_passing_fault_is_tried_again_after_longer_and_longer_times_and_then_no_more(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    waited = []
    for _ in range(len(deliveries.BACK_OFF_MINUTES)):
        with database.write() as session:
            assert deliveries.claim(session, 1)
            row = the(session.get(Delivery, 1))
            deliveries.failed(session, row, handoff, error="later", permanent=False, now=MONDAY)
            assert row.state == DeliveryState.QUEUED
            waited.append(row.send_at - MONDAY)
    assert waited == [MINUTE * minutes for minutes in deliveries.BACK_OFF_MINUTES]

    with database.write() as session:
        assert deliveries.claim(session, 1)
        deliveries.failed(session, the(session.get(Delivery, 1)), handoff, error="later", permanent=False, now=MONDAY)

    [row] = rows(database)
    assert (row.state, row.error) == (DeliveryState.FAILED, "later")


def test_each_new_try_has_a_wake_of_its_own(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    for _ in range(2):
        with database.write() as session:
            deliveries.claim(session, 1)
            deliveries.failed(session, the(session.get(Delivery, 1)), handoff, error="later", permanent=False, now=MONDAY)

    with database.read() as session:
        assert wakes_of(session) == [("speak:key:0", MONDAY), ("speak:key:1", MONDAY + MINUTE), ("speak:key:2", MONDAY + 2 * MINUTE)]


def test_a_permanent_fault_is_not_tried_again(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    with database.write() as session:
        deliveries.claim(session, 1)
        deliveries.failed(session, the(session.get(Delivery, 1)), handoff, error="x" * 900, permanent=True, now=MONDAY)

    [row] = rows(database)
    assert (row.state, row.permanent, len(row.error)) == (DeliveryState.FAILED, True, 500)


def test_a_message_that_nobody_can_say_whether_it_arrived_is_unknown(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    with database.write() as session:
        deliveries.claim(session, 1)
        deliveries.outcome_unknown(session, the(session.get(Delivery, 1)), handoff, error="the line broke", now=MONDAY)

    assert [(row.state, row.error) for row in rows(database)] == [(DeliveryState.UNKNOWN, "the line broke")]
    assert due(database, handoff, now=MONDAY + timedelta(days=30)) == []


def test_an_answer_taken_back_takes_back_what_it_would_have_said_and_nothing_else(database: Database, handoff: Handoff) -> None:
    queue(database, handoff, "undone", answer_id=7)
    queue(database, handoff, "said already", answer_id=7)
    queue(database, handoff, "of another answer", answer_id=8)
    queue(database, handoff, "of none")
    with database.write() as session:
        deliveries.claim(session, 2)
        deliveries.cancel(session, answer_id=7)

    assert [row.state for row in rows(database)] == [
        DeliveryState.CANCELLED,
        DeliveryState.SENDING,
        DeliveryState.QUEUED,
        DeliveryState.QUEUED,
    ]
    with database.write() as session:
        assert not deliveries.claim(session, 1)


def test_only_confirmed_assignments_are_proof(database: Database, handoff: Handoff) -> None:
    for channel in ("email", "crm", "chat"):
        queue(database, handoff, channel, channel=channel, assignment_id="tenure")
    with database.write() as session:
        for ident, state in ((1, DeliveryState.SENT), (2, DeliveryState.CONFIRMED), (3, DeliveryState.BOUNCED)):
            the(session.get(Delivery, ident)).state = state

    with database.read() as session:
        assert deliveries.proven_channels(session, "tenure") == {"crm"}
        assert len(deliveries.of_handoff(session, handoff.id)) == 3


def rest(database: Database, handoff: Handoff, seconds: float) -> Delivery:
    """The channel asked to be left alone so long."""
    with database.write() as session:
        assert deliveries.claim(session, 1)
        row = the(session.get(Delivery, 1))
        deliveries.failed(session, row, handoff, error="resting", permanent=False, now=MONDAY, retry_after_seconds=seconds)
    return rows(database)[0]


def test_a_channel_that_rests_uses_up_no_tries(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)

    for minutes in range(1, 3 * len(deliveries.BACK_OFF_MINUTES)):
        row = rest(database, handoff, 60 * minutes)
        assert (row.state, row.tries, row.send_at) == (DeliveryState.QUEUED, 0, MONDAY + minutes * MINUTE)

    with database.read() as session:
        assert wakes_of(session)[-1][1] == row.send_at


@pytest.mark.parametrize(
    ("seconds", "rests"),
    [(0, timedelta(seconds=10)), (-5, timedelta(seconds=10)), (90.5, timedelta(seconds=90.5)), (1e300, timedelta(days=1))],
)
def test_a_rest_is_neither_none_nor_for_ever(database: Database, handoff: Handoff, seconds: float, rests: timedelta) -> None:
    queue(database, handoff)

    assert rest(database, handoff, seconds).send_at == MONDAY + rests


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_a_rest_that_is_no_time_is_a_fault_like_any_other(database: Database, handoff: Handoff, seconds: float) -> None:
    queue(database, handoff)

    row = rest(database, handoff, seconds)

    assert (row.tries, row.send_at) == (1, MONDAY + MINUTE)


def test_what_may_come_back_is_sent_and_has_arrived_when_its_time_is_over(database: Database, handoff: Handoff) -> None:
    queue(database, handoff, assignment_id="tenure")
    with database.write() as session:
        deliveries.claim(session, 1)
        deliveries.succeeded(session, the(session.get(Delivery, 1)), handoff, proof="250", now=MONDAY, may_bounce_for=2 * MINUTE)

    [row] = rows(database)
    assert (row.state, row.sent_at, row.confirm_at) == (DeliveryState.SENT, MONDAY, MONDAY + 2 * MINUTE)
    with database.write() as session:
        assert proof.settle(session, MONDAY + MINUTE) == 0
        assert proof.proof_of(session, "tenure", ("rep", "manager"), now=MONDAY + MINUTE).coming == (MONDAY + 2 * MINUTE,)
        assert proof.settle(session, MONDAY + 2 * MINUTE) == 1
        assert proof.proof_of(session, "tenure", ("rep", "manager"), now=MONDAY + 3 * MINUTE).since(1) == MONDAY + 2 * MINUTE
    assert rows(database)[0].state == DeliveryState.CONFIRMED


def test_what_changed_in_several_rows_is_written_in_one_statement(database: Database, handoff: Handoff) -> None:
    for key in ("one", "two", "three"):
        queue(database, handoff, key)
    with database.write() as session:
        one, two, _ = session.exec(select(Delivery).order_by(col(Delivery.id)))
        one.state, one.proof, one.sent_at = DeliveryState.CONFIRMED, "250 it's ok", MONDAY
        two.state, two.error = DeliveryState.FAILED, "no such address; '--"
        with recorded(database) as asked:
            deliveries.write_together(session, [one, two])
            session.flush()
        assert [one.statement.split()[0] for one in asked.asked] == ["UPDATE"]

    assert [(row.state, row.proof, row.error, row.sent_at) for row in rows(database)] == [
        ("confirmed", "250 it's ok", "", MONDAY),
        ("failed", "", "no such address; '--", None),
        ("queued", "", "", None),
    ]


def test_nothing_is_written_where_nothing_changed(database: Database, handoff: Handoff) -> None:
    queue(database, handoff)
    with database.write() as session:
        found = list(session.exec(select(Delivery)))
        with recorded(database) as asked:
            deliveries.write_together(session, found)
            deliveries.write_together(session, [])
    assert len(asked) == 0
