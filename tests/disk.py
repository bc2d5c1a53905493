"""SQLite without waiting for the disk: no test cuts the power, and a commit would wait several milliseconds for it."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from sqlite3 import dbapi2
from typing import Any


def wait_for_no_disk() -> None:
    """Let every SQLite connection of this process leave the writing to the operating system.

    What one process commits, every other process sees at once, and it stays when a process is killed: nothing else changes.
    """
    opened = sqlite3.connect

    def connect(*given: Any, **named: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = opened(*given, **named)
        with suppress(sqlite3.Error):  # the file may be locked or no database: what the code then does is the code's
            connection.execute("PRAGMA synchronous=OFF")
        return connection

    # SQLite offers no default for it. SQLAlchemy takes the function from dbapi2.
    sqlite3.connect = dbapi2.connect = connect  # type: ignore[assignment]
