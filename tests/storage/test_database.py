"""Sessions: short transactions, all or nothing, and instants only."""

from __future__ import annotations

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col, func, select

from storage import schema
from storage.database import Database, normal_url
from storage.tables import Activity, Bookmark, Lead
from tests.processes import side_by_side

MIDNIGHT = datetime(2027, 2, 1, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "down" / "baton.db"


@pytest.fixture
def on_sqlite(file: Path) -> Iterator[Database]:
    """A SQLite database, also where the other tests use PostgreSQL."""
    opened = Database(str(file))
    schema.upgrade(opened)
    yield opened
    opened.close()


def companies(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.exec(select(Lead.company).order_by(Lead.company)))


def test_an_instant_comes_back_as_the_same_instant_in_utc(database: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    with database.write() as session:
        session.add(Lead(id=1, created_at=MIDNIGHT.astimezone(tokyo)))

    with database.read() as session:
        found = session.get(Lead, 1).created_at
    assert found == MIDNIGHT
    assert found.tzinfo is UTC


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="has no time zone"), database.write() as session:
        session.add(Lead(created_at=datetime(2027, 2, 1)))

    assert companies(database) == []


def test_a_time_without_a_zone_is_refused_in_a_question_too(database: Database) -> None:
    with pytest.raises(StatementError, match="has no time zone"), database.read() as session:
        session.exec(select(Lead).where(Lead.created_at < datetime(2027, 2, 1))).all()


def test_a_write_that_fails_leaves_nothing_behind(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as session:
            session.add(Lead(company="Harbour", created_at=MIDNIGHT))
            session.flush()
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError, match="half-way"):
        fail_half_way()

    assert companies(database) == []


def test_a_write_is_seen_by_others_when_it_is_over(database: Database) -> None:
    with database.write() as session:
        session.add(Lead(company="Harbour", created_at=MIDNIGHT))
        session.flush()
        assert companies(database) == []

    assert companies(database) == ["Harbour"]


def test_what_a_session_for_looking_changes_is_gone(database: Database) -> None:
    with database.read() as session:
        session.add(Lead(company="Harbour", created_at=MIDNIGHT))
        session.flush()

    assert companies(database) == []


def test_a_row_that_points_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Activity(lead_id=77, key="k", kind="form_submitted", at=MIDNIGHT, received_at=MIDNIGHT))


def test_on_sqlite_a_write_holds_the_lock_from_its_first_look_on(on_sqlite: Database, file: Path) -> None:
    other = sqlite3.connect(file, timeout=0, isolation_level=None)

    with on_sqlite.write() as session:
        session.exec(select(Lead)).all()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM leads").fetchone() == (0,)

    other.execute("BEGIN IMMEDIATE")
    other.close()


def test_on_sqlite_a_look_holds_up_nobody(on_sqlite: Database) -> None:
    with on_sqlite.read() as session:
        session.exec(select(Lead)).all()
        with on_sqlite.write() as writer:
            writer.add(Lead(company="Harbour", created_at=MIDNIGHT))

    assert companies(on_sqlite) == ["Harbour"]


def test_a_second_writer_waits_for_the_first_instead_of_failing(database: Database) -> None:
    def second() -> None:
        with database.write() as session:
            session.add(Lead(company="Second", created_at=MIDNIGHT))

    waiting = threading.Thread(target=second)
    with database.write() as session:
        session.add(Lead(company="First", created_at=MIDNIGHT))
        session.flush()
        waiting.start()

    waiting.join(20)
    assert companies(database) == ["First", "Second"]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("/var/lib/baton/baton.db", "sqlite:////var/lib/baton/baton.db"),
        ("sqlite:///baton.db", "sqlite:///baton.db"),
        ("postgres://me@db/baton", "postgresql+psycopg://me@db/baton"),
        ("postgresql://me@db/baton", "postgresql+psycopg://me@db/baton"),
        ("postgresql+psycopg://me@db/baton", "postgresql+psycopg://me@db/baton"),
    ],
)
def test_a_url_is_taken_as_people_write_it(given: str, used: str) -> None:
    assert normal_url(given) == used


def write_without_pause(side: int, together: Callable[[], None], url: str) -> int:
    """One side writes without a pause until the other, which writes now and then, has written a hundred rows.

    How many rows each wrote; for the one that pauses, how many the other wrote while it was kept waiting.
    """
    database, counted = Database(url), 0
    together()
    for number in range(100) if side else itertools.count():
        if not side and rows_of(database, "end"):
            break
        before = rows_of(database, "0") if side else 0
        with database.write() as session:
            session.add(Bookmark(name=f"{side}:{number}"))
        counted += rows_of(database, "0") - before if side else 1
        if side:
            time.sleep(0.01)
    if side:
        with database.write() as session:
            session.add(Bookmark(name="end"))
    database.close()
    return counted


def rows_of(database: Database, start: str) -> int:
    with database.read() as session:
        return session.exec(select(func.count()).select_from(Bookmark).where(col(Bookmark.name).startswith(start))).one()


def test_who_writes_now_and_then_is_not_kept_out_by_who_writes_without_a_pause(database_url: str) -> None:
    """With SQLite's own waiting it is overtaken again and again, and may be told "database is locked" in the end."""
    schema.upgrade(database := Database(database_url))
    database.close()

    written, overtaken = side_by_side(write_without_pause, database_url)

    assert written > 100
    assert overtaken < 450
