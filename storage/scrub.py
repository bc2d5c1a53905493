"""Removes deleted data from the bytes of SQLite's files too, not only from its tables."""

from __future__ import annotations

import json
import mmap
import sqlite3
from collections.abc import Iterable
from pathlib import Path

#: How long another process may keep the file busy, in seconds.
WAIT_SECONDS = 10
#: A larger file is not rewritten as a whole, because every writer would have to wait.
REWRITTEN_BYTES = 256 * 1024 * 1024


def scrub(path: Path, words: Iterable[str] | None) -> str:
    """Empties the log of this SQLite file, and rewrites the file where it still holds one of these words.

    words: None where nobody knows them any more: then the file is rewritten in any case. Returns what is left to do, in words for the
    operator; empty for nothing. Changes nothing in the tables.
    """
    if not path.exists():
        return ""
    wanted = forms_of(words or ())
    try:
        connection = sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA secure_delete=ON")
            _empty_log(connection)
            if words is None or any(holds(one, wanted) for one in files_of(path)):
                if path.stat().st_size > REWRITTEN_BYTES:
                    return f"{path.name} is large and may hold remains in free space: run VACUUM on it when nobody works."
                connection.execute("VACUUM")
                _empty_log(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        return f"{path.name} is busy and may hold remains in free space ({error}): repeat this."
    return ""


def files_of(path: Path) -> list[Path]:
    """The file and the files that SQLite keeps beside it, where they exist."""
    beside = [path, *(path.with_name(path.name + end) for end in ("-wal", "-journal"))]
    return [one for one in beside if one.exists()]


def forms_of(words: Iterable[str]) -> frozenset[bytes]:
    """These words as bytes: as they are, and as JSON writes them."""
    given = [word for word in words if word]
    return frozenset(form.encode() for word in given for form in (word, json.dumps(word)[1:-1]))


def holds(path: Path, wanted: Iterable[bytes]) -> bool:
    """Whether the file holds any of these bytes. Searches a file of any size without reading it as a whole."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(one) >= 0 for one in wanted)


def _empty_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
