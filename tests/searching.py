"""Search for a person everywhere: in every text column, and in the bytes of every file in a folder."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from sqlmodel import SQLModel

from storage.database import Database


def in_tables(database: Database, words: Iterable[str]) -> list[str]:
    """Return the tables and rows that contain a word."""
    found = []
    with database.engine.connect() as connection:
        for table in SQLModel.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                text = json.dumps(list(row), ensure_ascii=False, default=str)
                found += [f"{table.name}: {word} in {text[:200]}" for word in words if word in text]
    return found


def in_bytes(folder: Path, words: Iterable[str]) -> list[str]:
    """Return the files that contain a word, as it is or as in JSON. SQLite's index of its log (-shm) holds no rows and is skipped."""
    forms = [(word, form.encode()) for word in words for form in (word, json.dumps(word)[1:-1])]
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and not one.name.endswith("-shm")):
        content = path.read_bytes()
        found += [f"{path.relative_to(folder)}: {word}" for word, form in forms if form in content]
    return found


def in_any_table_of(path: Path, words: Iterable[str]) -> list[str]:
    """Return the tables that contain a word in another program's SQLite file."""
    found = []
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=100)
    try:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT NULL")]
        for name in names:
            for row in connection.execute(f'SELECT * FROM "{name}"'):
                text = json.dumps(list(row), ensure_ascii=False, default=str)
                found += [f"{name}: {word} in {text[:300]}" for word in words if word in text]
    finally:
        connection.close()
    return found
