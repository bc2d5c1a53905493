"""Heads of the trail in a file of the home folder: somebody who rewrites only the database cannot rewrite these.

Each line is JSON. Baton only ever adds lines. A head is written after the transaction of its seal, so no line is ahead of the
database. If a process dies between the two, the head is missing, and the next seal on this machine writes the newest head then.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from agreements.errors import HandoffError
from tasks.wiring import secret_files

NAME = "trail-heads"
#: How many bytes are read from the end of the file to find the last line, which is far shorter.
_END = 4096


class HeadsUnreadable(HandoffError):  # noqa: N818 - errors here are named as states
    """A line of the file of heads cannot be read."""


@dataclass(frozen=True, slots=True)
class Head:
    """A seal while it was the newest. at: when it was made, Baton's time; events: how many events are sealed up to it."""

    at: str
    seal: int
    events: int
    head: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An operator's statement that the heads above are gone because a backup was restored. lost: the newest of them; by: the
    operator; seal, head: where the chain continues, 0 and empty for its beginning."""

    at: str
    accepted: bool
    lost: str
    by: str
    seal: int
    head: str


class HeadFile:
    """The heads that this machine has seen."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME

    def add(self, line: Head | Accepted) -> None:
        """Adds a line and syncs it to the disk. Only the file's owner can read it. Skips a line that repeats the last one."""
        with os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, secret_files.CLOSED), "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END))
            end = file.read()
            words = json.dumps(asdict(line), separators=(",", ":")).encode()
            if end.rpartition(b"\n")[0].rpartition(b"\n")[2] == words and end.endswith(b"\n"):
                return
            torn = bool(end) and not end.endswith(b"\n")  # a process died while it wrote
            file.write((b"\n" if torn else b"") + words + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def last(self) -> Head | Accepted | None:
        """Return the newest line, None for none. Raises HeadsUnreadable."""
        if not self.path.exists():
            return None
        with self.path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _END))
            lines = file.read().split(b"\n")
        whole = [line for line in lines[:-1] if line.endswith(b"}")]
        return self._read(whole[-1].decode("utf-8", "replace"), 0) if whole else None

    def since_restore(self) -> Iterator[Head | Accepted]:
        """Return every line from the newest statement of an operator on, or all lines if there is none. Raises HeadsUnreadable."""
        begin = 0
        for number, line in self._lines():
            if isinstance(line, Accepted):
                begin = number
        return (line for number, line in self._lines() if number >= begin)

    def _lines(self) -> Iterator[tuple[int, Head | Accepted]]:
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, start=1):
                if line.endswith("}\n"):  # skips a torn line
                    yield number, self._read(line, number)

    def _read(self, line: str, number: int) -> Head | Accepted:
        try:
            said = json.loads(line)
            return Accepted(**said) if "accepted" in said else Head(**said)
        except (ValueError, TypeError) as error:
            where = f"line {number}" if number else "the last line"
            raise HeadsUnreadable(
                f"{self.path}, {where}: this is no head of the trail. Baton only ever adds lines there: put back what was changed,"
                " from a backup of the folder."
            ) from error


def head_of(seal: int, events: int, digest: str, at: datetime) -> Head:
    """Return the line for that seal."""
    return Head(at.isoformat(timespec="seconds"), seal, events, digest)
