"""Sessions: short transactions, all or nothing, and instants only."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col, func, select

from storage import schema
from storage.database import Database, normal_url
from storage.tables import Activity, Bookmark, Lead
from tests.patience import PATIENCE_SECONDS
from tests.present import the
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
        found = the(session.get(Lead, 1)).created_at
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

    waiting.join(PATIENCE_SECONDS)
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
    """Writes a row, looks at them all, and writes the next at once; how many of them are its own in the end."""
    database = Database(url)
    together()
    for number in range(200):
        with database.write() as session:
            session.exec(select(func.count()).select_from(Bookmark)).one()
            session.add(Bookmark(name=f"{side}:{number}"))
    with database.read() as session:
        mine = session.exec(select(func.count()).select_from(Bookmark).where(col(Bookmark.name).startswith(f"{side}:"))).one()
    database.close()
    return mine


def test_of_two_who_write_without_a_pause_none_is_told_that_the_database_is_locked(database_url: str) -> None:
    schema.upgrade(database := Database(database_url))
    database.close()

    assert side_by_side(write_without_pause, database_url) == [200, 200]


def test_on_sqlite_who_waits_for_the_lock_asks_at_once_again_however_often(
    on_sqlite: Database, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's own waiting asks ever more seldom: whoever writes without a pause would overtake again and again."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1000:
            other.execute("COMMIT")

    monkeypatch.setattr("time.sleep", pause)
    with on_sqlite.write() as session:
        session.add(Bookmark(name="late"))
    other.close()

    assert (len(pauses), max(pauses) < 0.001) == (1000, True)
