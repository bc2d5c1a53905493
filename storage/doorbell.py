"""The doorbell: signals that there may be new work, without polling the tables."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import psycopg
from sqlalchemy import make_url

from storage.database import Database

log = logging.getLogger("baton.doorbell")
#: The channel on PostgreSQL that the trigger on the table of wakes notifies.
CHANNEL = "baton_wakes"
#: Seconds between checks whether SQLite's file has changed. A check reads a few bytes of shared memory.
ASK_SECONDS = 0.03
#: Seconds until a broken connection is made again.
AGAIN_SECONDS = 1.0


class Doorbell:
    """Calls `ring` on its own thread, soon after any process stored a wake: LISTEN on PostgreSQL, the version of the file on SQLite. Rings
    too often rather than too seldom; the listener must still look now and then."""

    def __init__(self, database: Database, ring: Callable[[], object]) -> None:
        self._database, self._ring = database, ring
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="baton-doorbell", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join(2 * AGAIN_SECONDS)

    def _listen(self) -> None:
        listen = self._to_sqlite if self._database.is_sqlite else self._to_postgresql
        while not self._stop.is_set():
            try:
                listen()
            except (psycopg.Error, sqlite3.Error) as error:
                log.warning("the database cannot be listened to, trying again: %s", error)
                self._ring()
                self._stop.wait(AGAIN_SECONDS)

    def _to_postgresql(self) -> None:
        url = make_url(self._database.url).set(drivername="postgresql").render_as_string(hide_password=False)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._ring()  # for wakes stored before we listened
            while not self._stop.is_set():
                for _ in connection.notifies(timeout=AGAIN_SECONDS, stop_after=1):
                    self._ring()

    def _to_sqlite(self) -> None:
        connection = sqlite3.connect(make_url(self._database.url).database or "", check_same_thread=False)
        try:
            seen = None
            while not self._stop.wait(ASK_SECONDS):
                version = connection.execute("PRAGMA data_version").fetchone()[0]
                if version != seen:
                    seen = version
                    self._ring()
        finally:
            connection.close()
