"""The application database: one engine, short transactions, times always in UTC."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Engine, create_engine, event, make_url
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

BUSY_TIMEOUT_SECONDS = 10
#: After so long without use a connection to PostgreSQL is asked whether it is still there.
IDLE_SECONDS = 1.0
#: A transaction in which nothing is asked for so long is ended by PostgreSQL: its process was stopped or cut off, and what it has
#: locked must not wait for it. As long as a lease, so that both end in the same minute.
ABANDONED_SECONDS = 30
#: A write transaction changes at most about so many rows: what would change more is done in several, so that nobody waits long.
ROWS_AT_ONCE = 50
#: Under this name a session knows the key with which events of the trail are marked.
TRAIL_KEY = "trail_key"


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware going in (a naive value raises ValueError), aware UTC coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; Baton stores instants only")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class WriteSession(Session):
    """A session for one short transaction. What was read stays until its end, so that no row is read twice."""


@event.listens_for(WriteSession, "loaded_as_persistent")
@event.listens_for(WriteSession, "pending_to_persistent")
def _stay(session: Session, row: object) -> None:
    """SQLAlchemy lets go of rows that nobody holds, and would read them again."""
    session.info.setdefault("rows", []).append(row)


class Database:
    """Sessions on one database.

    read(): sees committed data, writes nothing. write(): one short transaction that commits at the end or not at all;
    on SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that it never fails half-way for being late. trail_key: with
    it each event of the trail is marked; without one events have no mark, and `baton verify` names them.
    """

    def __init__(self, url: str, *, trail_key: bytes = b"") -> None:
        self.url, self.trail_key = normal_url(url), trail_key
        #: The key of the installation by which erased people are known again; storage/erased.py asks for it.
        self.person_key: Callable[[], bytes] = _no_key
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._writer = self.engine.execution_options(baton_write=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for looking; whatever it changed is rolled back."""
        with Session(self.engine, expire_on_commit=False, info=self._known()) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one short transaction; commits when the block ends without an error."""
        with WriteSession(self._writer, expire_on_commit=False, info=self._known()) as session, session.begin():
            yield session

    def _known(self) -> dict[str, Any]:
        return {TRAIL_KEY: self.trail_key, "person_key": self.person_key}

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()


def _no_key() -> bytes:
    return b""


def normal_url(url: str) -> str:
    """The URL with the driver that Baton uses: psycopg for PostgreSQL; a bare path is a SQLite file."""
    if "://" not in url:
        return f"sqlite:///{Path(url).expanduser()}"
    if url.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + url.split("://", 1)[1]
    return url


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if path and not path.startswith((":memory:", "file:")):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")
        _write_ahead(connection)
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten, however this SQLite was built

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("baton_write"):
            _take_write_lock(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _take_write_lock(connection: Connection) -> None:
    """Begins as the one writer, asking again and again, at most half a millisecond apart, until that is possible.

    SQLite's own waiting asks ever more seldom, up to ten times a second: beside a busy process an answer would wait for long.
    """
    raw: Any = connection.connection.dbapi_connection
    give_up = time.monotonic() + BUSY_TIMEOUT_SECONDS
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
            time.sleep(random.uniform(0.000_2, 0.000_6))  # not in step with whoever else asks
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes that make the same new file at once: SQLite refuses the second one at once here, whatever the timeout."""
    for _ in range(BUSY_TIMEOUT_SECONDS * 10):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        time.sleep(0.1)
    connection.execute("PRAGMA journal_mode=WAL")


def _postgresql_engine(url: str) -> Engine:
    """Asks a connection whether it is still there only after it was idle for a while: each question is a transaction. The one that
    was used last is taken first, so that few are idle for so long."""
    engine = create_engine(url, pool_size=10, max_overflow=20, pool_use_lifo=True)

    @event.listens_for(engine, "connect")
    def _bound(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET idle_in_transaction_session_timeout = '{ABANDONED_SECONDS}s'")
        connection.autocommit = False

    @event.listens_for(engine, "checkin")
    def _note(_connection: object, record: ConnectionPoolEntry) -> None:
        record.info["used"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ask(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
        if time.monotonic() - record.info.get("used", 0.0) > IDLE_SECONDS and not _is_there(connection):
            raise DisconnectionError("the database server was restarted")

    return engine


def _is_there(connection: Any) -> bool:
    import psycopg  # only where the database is PostgreSQL

    try:
        connection.autocommit = True
        connection.execute("SELECT 1")
        connection.autocommit = False
    except psycopg.Error:
        return False
    return True
