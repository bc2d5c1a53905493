"""Count the rows that each write transaction changes, so that a test can check that none grows with the number of leads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

from storage.database import ROWS_AT_ONCE, Database


@dataclass
class Written:
    """The committed transactions that changed rows, in order. rows: how many rows each changed; by: its statements."""

    rows: list[int] = field(default_factory=list)
    by: list[tuple[str, ...]] = field(default_factory=list)

    def assert_short(self, *, at_most: int = ROWS_AT_ONCE) -> None:
        """Fail if a transaction changed more rows than that, with its statements, or if none changed anything."""
        assert self.rows, "nothing was written"
        most = max(self.rows)
        assert most <= at_most, f"a transaction changed {most} rows: {self.by[self.rows.index(most)]}"


@contextmanager
def written(database: Database) -> Iterator[Written]:
    """Record every transaction of this database that commits during the block, in any thread."""
    kept = Written()

    def begun(connection: Connection) -> None:
        connection.info["written"] = (_changes(connection), 0, [])

    def executed(connection: Connection, cursor: Any, statement: str, *_: Any) -> None:
        verb = statement.lstrip()[:6].upper()
        if verb in ("INSERT", "UPDATE", "DELETE") and "written" in connection.info:
            before, rows, by = connection.info["written"]
            connection.info["written"] = (before, rows + max(cursor.rowcount, 0), [*by, " ".join(statement.split())[:60]])

    def committed(connection: Connection) -> None:
        before, rows, by = connection.info.pop("written")
        changed = _changes(connection) - before if database.is_sqlite else rows
        if changed:
            kept.rows.append(changed)
            kept.by.append(tuple(by))

    watched = (("begin", begun), ("after_cursor_execute", executed), ("commit", committed))
    for name, listener in watched:
        event.listen(database.engine, name, listener)
    yield kept
    for name, listener in watched:
        event.remove(database.engine, name, listener)


def _changes(connection: Connection) -> int:
    """Return SQLite's own count: a cursor does not know the rows of an INSERT … RETURNING until they are fetched."""
    return getattr(connection.connection.dbapi_connection, "total_changes", 0)
