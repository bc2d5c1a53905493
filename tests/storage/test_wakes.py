"""The outbox: what should move is asked for once, and asked again until an attempt has read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from storage import leases, wakes
from storage.database import Database
from storage.tables import Wake
from tests.conftest import MONDAY
from tests.rows import a_handoff

REAL = datetime(2030, 1, 1, tzinfo=UTC)
AGAIN = timedelta(seconds=wakes.AGAIN_AFTER_SECONDS)


@pytest.fixture
def handoff_ids(database: Database) -> list[int]:
    with database.write() as session:
        return [a_handoff(session, MONDAY).id for _ in range(3)]


def due(session: Session, *, now: datetime = MONDAY, real: datetime = REAL, **more: int) -> list[tuple[int, int]]:
    """Which handoffs are to be moved, and by how many wakes."""
    return [(one.handoff_id, len(one.wake_ids)) for one in wakes.due(session, now=now, real=real, which=leases.may_be_moved(real), **more)]


def test_the_same_key_twice_is_one_wake(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        assert wakes.add(session, handoff_ids[0], "answer", key="answer:1", not_before=MONDAY)
        assert not wakes.add(session, handoff_ids[1], "answer", key="answer:1", not_before=MONDAY)

        assert due(session) == [(handoff_ids[0], 1)]


def test_a_wake_of_a_transaction_that_failed_is_none(database: Database, handoff_ids: list[int]) -> None:
    def fail() -> None:
        with database.write() as session:
            wakes.add(session, handoff_ids[0], "answer", key="answer:1", not_before=MONDAY)
            raise RuntimeError("the answer could not be stored")

    with pytest.raises(RuntimeError):
        fail()

    with database.read() as session:
        assert session.exec(select(Wake)).all() == []


def test_all_wakes_of_a_handoff_are_delivered_together_and_the_oldest_handoff_first(database: Database, handoff_ids: list[int]) -> None:
    first, second, _ = handoff_ids
    with database.write() as session:
        for number, handoff_id in enumerate([second, first, second]):
            wakes.add(session, handoff_id, "answer", key=f"k{number}", not_before=MONDAY)

        assert due(session) == [(second, 2), (first, 1)]


def test_a_wake_waits_for_its_instant(database: Database, handoff_ids: list[int]) -> None:
    later = MONDAY + timedelta(minutes=5)
    with database.write() as session:
        wakes.add(session, handoff_ids[0], "effective", key="k", not_before=later)

        assert due(session, now=later - timedelta(microseconds=1)) == []
        assert wakes.pending(session, handoff_ids[0], now=later - timedelta(microseconds=1)) == []
        assert due(session, now=later) == [(handoff_ids[0], 1)]


def test_a_wake_that_was_delivered_and_not_read_is_delivered_again_after_30_seconds(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        wakes.add(session, handoff_ids[0], "answer", key="k", not_before=MONDAY)
        [item] = wakes.due(session, now=MONDAY, real=REAL, which=leases.may_be_moved(REAL))
        wakes.mark_delivered(session, item.wake_ids, real=REAL)

        assert due(session, real=REAL + AGAIN) == []
        assert due(session, real=REAL + AGAIN + timedelta(seconds=1)) == [(handoff_ids[0], 1)]


def test_a_delivered_wake_is_still_pending_for_the_attempt_that_reads_it(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        wakes.add(session, handoff_ids[0], "answer", key="k", not_before=MONDAY)
        wakes.mark_delivered(session, [row.id for row in session.exec(select(Wake))], real=REAL)

        assert [row.key for row in wakes.pending(session, handoff_ids[0], now=MONDAY)] == ["k"]


def test_every_delivery_and_every_vain_one_is_counted(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        wakes.add(session, handoff_ids[0], "answer", key="k", not_before=MONDAY)
        [item] = wakes.due(session, now=MONDAY, real=REAL, which=leases.may_be_moved(REAL))
        wakes.count_try(session, item.wake_ids)
        wakes.mark_delivered(session, item.wake_ids, real=REAL)
    with database.read() as session:
        row = session.exec(select(Wake)).one()

    assert (row.tries, row.delivered_at) == (2, REAL)


def test_a_wake_that_was_read_is_gone_and_the_others_stay(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        for key in ("read", "newer"):
            wakes.add(session, handoff_ids[0], "answer", key=key, not_before=MONDAY)
        [read, _] = wakes.pending(session, handoff_ids[0], now=MONDAY)
        wakes.drop(session, [read.id])

        assert [row.key for row in wakes.pending(session, handoff_ids[0], now=MONDAY)] == ["newer"]


def test_a_sweep_takes_no_more_than_it_is_told(database: Database, handoff_ids: list[int]) -> None:
    with database.write() as session:
        for handoff_id in handoff_ids:
            wakes.add(session, handoff_id, "answer", key=f"k{handoff_id}", not_before=MONDAY)

        assert due(session, limit=2) == [(handoff_ids[0], 1), (handoff_ids[1], 1)]


def test_nothing_to_mark_is_nothing(database: Database) -> None:
    with database.write() as session:
        wakes.mark_delivered(session, [], real=REAL)
        wakes.drop(session, [])
