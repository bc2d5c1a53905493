"""Scrub: what was deleted is gone from the bytes of SQLite's files too, not only from its tables."""

from __future__ import annotations

import json
import mmap
import sqlite3
from collections.abc import Iterable
from pathlib import Path

#: How long another process may keep the file busy, in seconds.
WAIT_SECONDS = 10
#: A larger file is not written anew as a whole, because every writer would wait for that.
REWRITTEN_BYTES = 256 * 1024 * 1024


def scrub(path: Path, words: Iterable[str] | None) -> str:
    """Empties the log of this SQLite file, and writes the file anew where it still holds one of these words.

    words: None where nobody knows them any more: then the file is written anew in any case.
    What is left to be done, in words for the operator; empty where nothing is. Nothing of the tables is changed.
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
    """The file and what SQLite keeps beside it, as far as it is there."""
    beside = [path, *(path.with_name(path.name + end) for end in ("-wal", "-journal"))]
    return [one for one in beside if one.exists()]


def forms_of(words: Iterable[str]) -> frozenset[bytes]:
    """These words as bytes: as they are, and as they stand in JSON."""
    given = [word for word in words if word]
    return frozenset(form.encode() for word in given for form in (word, json.dumps(word)[1:-1]))


def holds(path: Path, wanted: Iterable[bytes]) -> bool:
    """Whether the file holds any of these bytes; a file of any size is searched without being read as a whole."""
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return any(content.find(one) >= 0 for one in wanted)


def _empty_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
