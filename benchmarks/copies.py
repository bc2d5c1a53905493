"""Copy rows with other ids and names. Seeding makes thousands of waiting leads from one real waiting lead this way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, Table, insert

#: Rows in one insert call.
BATCH = 2_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The differences of one copy. words: replacements, made everywhere in a text. columns: new values by column."""

    words: Mapping[str, str]
    columns: Mapping[str, Any] = field(default_factory=dict)

    def text(self, value: str) -> str:
        """Return the text with the words replaced."""
        for old, new in self.words.items():
            value = value.replace(old, new)
        return value

    def value(self, value: Any) -> Any:
        """Return the value with the words replaced, also inside JSON."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, UUID):
            return UUID(self.text(str(value)))
        if isinstance(value, dict | list):
            return json.loads(self.text(json.dumps(value)))
        return value


def copied(row: Row, exchange: Exchange, *, touched: Iterable[str], fresh: Iterable[str] = ()) -> dict[str, Any]:
    """Return the copied row. touched: columns that may hold one of the words. fresh: columns that get a new id."""
    made = {**row, **{name: exchange.value(row[name]) for name in touched}, **{name: _new_id(row[name]) for name in fresh}}
    return made | {name: value for name, value in exchange.columns.items() if name in row}


def _new_id(like: Any) -> Any:
    return uuid4() if isinstance(like, UUID) else str(uuid4())


def touched_columns(row: Row, words: Iterable[str]) -> list[str]:
    """Return the columns of this row that hold one of the words."""
    texts = {name: json.dumps(value) if isinstance(value, dict | list) else str(value) for name, value in row.items()}
    return [name for name, text in texts.items() if isinstance(row[name], str | UUID | dict | list) and any(word in text for word in words)]


def insert_copies(
    connection: Connection, table: Table, rows: Sequence[Row], exchanges: Sequence[Exchange], *, fresh: Iterable[str] = ()
) -> int:
    """Insert a copy of each row for each exchange, and return the number of rows. All exchanges must replace the same words."""
    planned = [(row, touched_columns(row, exchanges[0].words)) for row in rows]
    made = (copied(row, exchange, touched=touched, fresh=fresh) for exchange in exchanges for row, touched in planned)
    count = 0
    while batch := list(islice(made, BATCH)):
        connection.execute(insert(table), batch)
        count += len(batch)
    return count
