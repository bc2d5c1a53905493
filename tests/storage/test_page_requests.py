"""Sights: who or what asked for a page is kept, not without end, and says whether a tenure was ever looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from storage import page_requests
from storage.database import Database
from storage.page_requests import PageRequest
from storage.tables import Sight
from tests.conftest import MONDAY
from tests.rows import a_handoff


@pytest.fixture
def look(database: Database) -> Callable[..., None]:
    with database.write() as session:
        handoff = a_handoff(session, MONDAY)

    def look(minute: int = 0, **more: str) -> None:
        given: dict[str, Any] = {"assignment_id": "one", "method": "GET", "what": "looked", "device": "new"}
        with database.write() as session:
            page_requests.record(session, PageRequest(MONDAY + timedelta(minutes=minute), handoff.id, **{**given, **more}))

    return look


def seen(database: Database, assignment_id: str) -> bool:
    with database.read() as session:
        return page_requests.seen(session, assignment_id)


def test_a_tenure_is_seen_once_its_page_was_asked_for(database: Database, look: Callable[..., None]) -> None:
    assert not seen(database, "one")

    look()

    assert seen(database, "one")
    assert not seen(database, "two")


def test_a_head_shows_nothing_to_anybody(database: Database, look: Callable[..., None]) -> None:
    look(method="HEAD")

    assert not seen(database, "one")


def test_what_has_no_tenure_is_never_seen(database: Database, look: Callable[..., None]) -> None:
    look(assignment_id="", wait_id="wait")

    assert not seen(database, "")


def test_a_robot_that_looks_all_day_fills_no_table(database: Database, look: Callable[..., None]) -> None:
    for minute in range(page_requests.KEPT + 10):
        look(minute)
    look(assignment_id="", wait_id="wait")

    with database.read() as session:
        kept = list(session.exec(select(Sight.at).where(Sight.assignment_id == "one").order_by(col(Sight.at))))
    assert len(kept) == page_requests.KEPT
    assert kept[0] == MONDAY + timedelta(minutes=10)
