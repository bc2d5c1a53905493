"""What is in the local CRM, for people who try Baton out: its leads, and everything about one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agreements.errors import CrmError

#: How many leads a list shows.
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Record:
    """One lead in the local CRM. tasks: their subjects; opportunities: each with its columns by name; history: who changed what, and
    when, the newest first."""

    number: int
    fields: dict[str, str] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    opportunities: tuple[dict[str, str], ...] = ()
    history: tuple[tuple[str, str, str, str], ...] = ()


def newest(path: Path, *, limit: int = SHOWN) -> list[Record]:
    """The leads that the CRM knows, the newest first, each with its fields only. Raises CrmError."""
    with reading(path) as db:
        numbers = "SELECT DISTINCT number FROM lead_fields ORDER BY number DESC LIMIT ?"
        rows = db.execute(f"SELECT number, field, value FROM lead_fields WHERE number IN ({numbers}) ORDER BY number DESC", (limit,))
        found: dict[int, dict[str, str]] = {}
        for number, name, value in rows:
            found.setdefault(number, {})[name] = value
    return [Record(number, fields) for number, fields in found.items()]


def record_of(path: Path, number: int) -> Record | None:
    """Everything about one lead in the CRM, None for a lead that it does not know. Raises CrmError."""
    with reading(path) as db:
        fields = dict(db.execute("SELECT field, value FROM lead_fields WHERE number=? ORDER BY field", (number,)).fetchall())
        tasks = tuple(row[0] for row in db.execute("SELECT subject FROM tasks WHERE number=? AND subject != '' ORDER BY id", (number,)))
        deals = "SELECT id, owner, stage, amount, currency, state, reason, closed_on FROM opportunities WHERE number=? ORDER BY id"
        names = ("id", "owner", "stage", "amount", "currency", "state", "reason", "closed_on")
        opportunities = tuple(
            {name: str(value) for name, value in zip(names, row, strict=True) if value} for row in db.execute(deals, (number,))
        )
        history = "SELECT at, by, field, value FROM changes WHERE number=? ORDER BY id DESC LIMIT 50"
        changes = tuple((str(at), str(by), str(name), str(value)) for at, by, name, value in db.execute(history, (number,)))
    return Record(number, fields, tasks, opportunities, changes) if fields or tasks or opportunities or changes else None


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
        try:
            yield db
        finally:
            db.close()
    except sqlite3.Error as error:
        raise CrmError(f"the local CRM could not be read: {error}") from error
