"""How many answers are held, counted where they are stored, on either database."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from storage import waits
from storage.database import Database
from storage.tables import Answer, PersonalText, Wait
from storage.waits import HELD_OF_BROWSER, HELD_OF_LINK
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff


@pytest.fixture
def opened(database: Database) -> list[str]:
    """Waits of twelve handoffs."""
    with database.write() as session:
        owed = waits.NewWait("acceptance", holder="ana", due_at=MONDAY)
        return [waits.open_wait(session, a_handoff(session, MONDAY), owed, now=MONDAY).id for _ in range(12)]


def hold(session: Session, wait_id: str, *, device: str, link_of: str = "ana", text: str = "") -> Answer | None:
    wait = session.get(Wait, wait_id)
    assert wait is not None
    return waits.hold(
        session, wait, waits.NewAnswer("accepted", by="ana", device=device, via="link", text=text), link_of=link_of, now=MONDAY
    )


def test_one_browser_has_ten_over_all_links(database: Database, opened: list[str]) -> None:
    with database.write() as session:
        held = [hold(session, wait_id, device="one") for wait_id in opened]
        assert hold(session, opened[-1], device="other") is not None

    assert [row is not None for row in held] == [True] * HELD_OF_BROWSER + [False] * 2


def test_a_link_has_a_hundred_in_one_handoff(database: Database, opened: list[str]) -> None:
    with database.write() as session:
        held = [hold(session, opened[0], device=str(number), text="Why.") for number in range(HELD_OF_LINK + 5)]
        assert hold(session, opened[0], device="another", link_of="maria") is not None
        assert hold(session, opened[1], device="another") is not None

    assert [row is not None for row in held] == [True] * HELD_OF_LINK + [False] * 5
    with database.read() as session:
        assert len(session.exec(select(PersonalText)).all()) == HELD_OF_LINK


def test_the_same_answer_again_needs_no_room(database: Database, opened: list[str]) -> None:
    with database.write() as session:
        for number in range(HELD_OF_BROWSER):
            hold(session, opened[0], device="one", text=str(number))
        assert hold(session, opened[0], device="one", text="3") is not None
        assert hold(session, opened[0], device="one", text="10") is None


def test_what_is_closed_gives_room_to_the_browser(database: Database, opened: list[str]) -> None:
    with database.write() as session:
        for wait_id in opened[:HELD_OF_BROWSER]:
            hold(session, wait_id, device="one")
        waits.close(session, the(session.get(Wait, opened[0])), because="moved on", now=MONDAY)
        assert hold(session, opened[10], device="one") is not None
        assert hold(session, opened[11], device="one") is None


def test_counting_looks_at_what_that_browser_has_held_only(database: Database, opened: list[str]) -> None:
    asked: list[tuple[str, Any]] = []

    @event.listens_for(database.engine, "before_cursor_execute")
    def note(connection: object, cursor: object, statement: str, parameters: Any, context: object, many: bool) -> None:
        asked.append((statement, parameters))

    with database.write() as session:
        hold(session, opened[0], device="one")
    [(statement, parameters)] = [one for one in asked if "count(" in one[0]]
    if database.is_sqlite:
        with database.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        assert any("answers_held" in str(line) for line in plan), plan
