"""The application database: one engine, short transactions, times always in UTC."""

from __future__ import annotations

import os
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
#: After this long without use, the pool checks that a connection to PostgreSQL still works.
IDLE_SECONDS = 1.0
#: PostgreSQL ends a transaction that is idle for this long: its process was stopped or cut off, and nobody else may wait for its locks. As
#: long as a lease, so that both end in the same minute.
ABANDONED_SECONDS = 30
#: A write transaction changes at most about this many rows. Larger changes take several transactions, so that nobody waits long.
ROWS_AT_ONCE = 50
#: A session stores the key that marks trail events under this name.
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
    """A session for one short transaction. It keeps what it has read until its end, so that no row is read twice."""


@event.listens_for(WriteSession, "loaded_as_persistent")
@event.listens_for(WriteSession, "pending_to_persistent")
def _stay(session: Session, row: object) -> None:
    """Keeps the row in the session: SQLAlchemy drops rows that nobody references, and would read them again."""
    session.info.setdefault("rows", []).append(row)


class Database:
    """Sessions on one database.

    read(): sees committed data, writes nothing. write(): one short transaction that commits completely or not at all. On SQLite it takes
    the write lock at once (BEGIN IMMEDIATE), so that it never fails half-way because another writer came first. trail_key: marks each event
    of the trail; without a key, events have no mark and `baton verify` names them.
    """

    def __init__(self, url: str, *, trail_key: bytes = b"") -> None:
        self.url, self.trail_key = normal_url(url), trail_key
        #: The key of the installation that recognises erased people; storage/erased.py uses it.
        self.person_key: Callable[[], bytes] = _no_key
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgresql_engine(self.url)
        self._writer = self.engine.execution_options(baton_write=True)
        self._place: tuple[int, int] | None = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; rolls back anything the caller changed."""
        with Session(self.engine, expire_on_commit=False, info=self._known()) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session for one short transaction; commits when the block ends without an error."""
        with WriteSession(self._writer, expire_on_commit=False, info=self._known()) as session, session.begin():
            yield session

    def is_in_place(self) -> bool:
        """Whether the SQLite file is the one that it was at the first call. Connections keep a file that somebody has moved away or
        replaced, and what is written to it is lost. True for other databases."""
        path = make_url(self.url).database or ""
        if not self.is_sqlite or path.startswith((":memory:", "file:")) or not path:
            return True
        try:
            found = os.stat(path)
        except OSError:
            return False
        self._place = self._place or (found.st_dev, found.st_ino)
        return self._place == (found.st_dev, found.st_ino)

    def _known(self) -> dict[str, Any]:
        return {TRAIL_KEY: self.trail_key, "person_key": self.person_key}

    def close(self) -> None:
        """Closes all connections."""
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
        connection.execute("PRAGMA secure_delete=ON")  # SQLite overwrites what is deleted, whatever its build default

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("baton_write"):
            _take_write_lock(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _take_write_lock(connection: Connection) -> None:
    """Begins as the one writer. Retries, at most about half a millisecond apart, until it succeeds.

    SQLite's own waiting retries ever more rarely, down to ten times a second: beside a busy process an answer would wait for long.
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
            time.sleep(random.uniform(0.000_2, 0.000_6))  # random, so that two waiting processes do not retry in step
    finally:
        raw.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_SECONDS * 1000}")


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two processes that create the same new file: SQLite refuses the second one at once here and ignores the timeout."""
    for _ in range(BUSY_TIMEOUT_SECONDS * 10):
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
            return
        time.sleep(0.1)
    connection.execute("PRAGMA journal_mode=WAL")


def _postgresql_engine(url: str) -> Engine:
    """Checks a connection only after it was idle for a while, because each check is a transaction. The pool hands out the connection that
    was used last, so that few are idle for so long."""
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
