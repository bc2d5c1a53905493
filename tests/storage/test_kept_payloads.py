"""Kept payloads and counts of doors: no look at them reads a whole table, and two processes never get the same payload."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from storage import door_days, kept_payloads
from storage.database import Database
from storage.kept_payloads import NewPayload
from tests.conftest import MONDAY
from tests.storage.plans import recorded, scans

HOUR = timedelta(hours=1)


def keep(session: Session, number: int, *, door: str = "typeform", to_fetch: bool = False) -> None:
    new = NewPayload(f"key{number}", door, b"{}", "application/json", "no id", (f"p{number}@quay.example",))
    kept_payloads.keep(session, new, now=MONDAY, next_at=MONDAY if to_fetch else None)


@pytest.fixture
def filled(database: Database) -> Database:
    """A database with 200 payloads, every fourth of which waits to be fetched, and marks of deliveries."""
    with database.write() as session:
        for number in range(200):
            keep(session, number, to_fetch=number % 4 == 0)
            kept_payloads.remember(session, f"mark{number}", now=MONDAY)
    return database


def test_nothing_that_is_asked_at_a_delivery_or_a_tick_reads_a_whole_table(filled: Database) -> None:
    if not filled.is_sqlite:
        pytest.skip("PostgreSQL reads so small a table as a whole; tests/storage/budgets/ has large ones")
    with recorded(filled) as work, filled.write() as session:
        keep(session, 1000)
        kept_payloads.was_seen(session, "mark1")
        kept_payloads.remember(session, "new", now=MONDAY + HOUR)
        kept_payloads.count(session, "typeform")
        kept_payloads.claim_due(session, now=MONDAY, limit=4)
        kept_payloads.failed(session, after=100)
        kept_payloads.newest(session)
        kept_payloads.by_key(session, "key7")
        kept_payloads.note_failure(session, 7, "again", next_at=None)
        kept_payloads.remove_of(session, ["p9@quay.example"], limit=10)
        kept_payloads.remove_before(session, MONDAY - HOUR, limit=10)
        door_days.add(session, "typeform", {"taken": 1}, now=MONDAY)

    assert scans(filled, work) == {}


def test_what_one_process_claims_no_other_gets_until_its_time_is_over(filled: Database) -> None:
    def claimed(later: timedelta = timedelta()) -> set[int]:
        with filled.write() as session:
            return {row.id for row in kept_payloads.claim_due(session, now=MONDAY + later, limit=30)}

    first, second, third = claimed(), claimed(), claimed()

    assert (len(first), len(second), len(third)) == (30, 20, 0)
    assert first & second == set()
    assert claimed(kept_payloads.CLAIMED_FOR) & first != set()


def test_counts_add_up_by_door_and_day(database: Database) -> None:
    with database.write() as session:
        for later, counts in ((0, {"taken": 2}), (0, {"refused": 1}), (0, {}), (24, {"taken": 1, "kept": 3})):
            door_days.add(session, "typeform", counts, now=MONDAY + later * HOUR)  # type: ignore[arg-type]
        door_days.add(session, "other", {"refused": 5}, now=MONDAY)

    with database.read() as session:
        rows = door_days.lately(session, now=MONDAY + 24 * HOUR, days=30)
        assert [(row.door, row.taken, row.kept, row.refused) for row in rows] == [
            ("other", 0, 0, 5),
            ("typeform", 2, 0, 1),
            ("typeform", 1, 3, 0),
        ]
        assert door_days.last_at(session, "typeform") == MONDAY + 24 * HOUR
        assert door_days.last_at(session, "other") is None
        assert [row.taken for row in door_days.lately(session, now=MONDAY + 24 * HOUR, days=1)] == [1]
