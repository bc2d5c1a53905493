"""What a piece of work asks of the database: how many statements, and how the database goes about each of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection, event, inspect

from storage.database import Database

#: Tables that grow with the leads: nothing that is asked all the time may read one of them from end to end.
BIG = (
    *("leads", "lead_sources", "lead_values", "activities", "handoffs", "waits", "answers", "assignments", "touches"),
    *("deliveries", "digest_items", "events", "sights", "wakes", "disputes", "kept_payloads", "kept_addresses", "seen_deliveries"),
    *("crm_changes", "enrolments"),
)
_ASKS = ("SELECT", "UPDATE", "DELETE", "WITH")
_OURS = (*_ASKS, "INSERT")
#: How many steps of SQLite's machine are counted at once.
_STEPS = 1_000
_SQLITE_SCAN = re.compile(r"^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?")
_POSTGRESQL_SCAN = re.compile(r"Seq Scan on (\w+)")


@dataclass(slots=True)
class Asked:
    """A statement with its parameters. steps: of SQLite's machine until the next statement or the end of the transaction, 0 on
    PostgreSQL."""

    statement: str
    parameters: Any
    steps: int = 0


@dataclass
class Work:
    """Everything that was asked, in order."""

    asked: list[Asked] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.asked)

    def without(self, known: Collection[str]) -> Work:
        """All but the statements that begin like one of these."""
        return Work([one for one in self.asked if not " ".join(one.statement.split()).startswith(tuple(known))])

    def most_often(self, count: int = 12) -> str:
        """The statements that were asked most often, to be read when there are too many."""
        often = Counter(one.statement for one in self.asked).most_common(count)
        return "\n".join(f"{times} times {' '.join(statement.split())[:200]}" for statement, times in often)


@contextmanager
def recorded(database: Database) -> Iterator[Work]:
    """Keeps what is asked of this database, by whichever thread, until the block ends."""
    work = Work()

    def count(asked: Asked) -> int:
        if event.contains(database.engine, "before_cursor_execute", keep):
            asked.steps += _STEPS
        return 0

    def keep(connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: bool) -> None:
        asked = Asked(statement, parameters[0] if isinstance(parameters, list) else parameters)
        if statement.lstrip().upper().startswith(_OURS):
            work.asked.append(asked)
        if database.is_sqlite:  # each connection counts for its own statement: several threads ask at the same time
            raw: Any = connection.connection.dbapi_connection
            raw.set_progress_handler(partial(count, asked), _STEPS)

    def stop(connection: Connection) -> None:
        """Waiting for the write lock of the next transaction is no step of this one's last statement."""
        if database.is_sqlite:
            raw: Any = connection.connection.dbapi_connection
            raw.set_progress_handler(None, _STEPS)

    listeners = (("before_cursor_execute", keep), ("commit", stop), ("rollback", stop))
    for name, listener in listeners:
        event.listen(database.engine, name, listener)
    try:
        yield work
    finally:
        for name, listener in listeners:
            event.remove(database.engine, name, listener)


def scans(database: Database, work: Work) -> dict[str, str]:
    """By statement how the database would go about it, for those for which it would read a big table from end to end."""
    found: dict[str, str] = {}
    with database.engine.connect() as connection:
        few = _partial_indexes(connection)
        for one in {one.statement: one for one in work.asked if one.statement.lstrip().upper().startswith(_ASKS)}.values():
            plan = plan_of(connection, one)
            if any(_is_scan(line, few) for line in plan):
                found[" ".join(one.statement.split())] = "\n".join(plan)
    return found


def plan_of(connection: Connection, one: Asked) -> list[str]:
    """How the database would carry out the statement, in its own words."""
    lite = connection.dialect.name == "sqlite"
    rows = connection.exec_driver_sql(f"{'EXPLAIN QUERY PLAN' if lite else 'EXPLAIN'} {one.statement}", one.parameters)
    return [str(row[-1]) for row in rows]


def _partial_indexes(connection: Connection) -> set[str]:
    """Indexes that hold few rows of a table: to read one from end to end is no scan."""
    looked = inspect(connection)
    where = f"{connection.dialect.name}_where"
    return {str(index["name"]) for table in BIG for index in looked.get_indexes(table) if where in index.get("dialect_options", {})}


def _is_scan(line: str, few: set[str]) -> bool:
    lite = _SQLITE_SCAN.match(line)
    if lite:
        return lite[1] in BIG and lite[2] not in few
    found = _POSTGRESQL_SCAN.search(line)
    return found is not None and found[1] in BIG
