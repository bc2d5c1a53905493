"""Secrets in files of the home folder: made once, and closed to everybody else from the first byte."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

#: Who may read and write such a file: its owner.
CLOSED = 0o600


def kept(folder: Path, name: str, *, prefix: str = "") -> str:
    """The secret in that file. Where there is none, one is made: the prefix and 43 random characters."""
    path = folder / name
    if not path.exists():
        own = write(folder / f".{name}.{os.getpid()}", prefix + secrets.token_urlsafe(32))
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(own, path)
        own.unlink()
    return path.read_text()


def write(path: Path, text: str) -> Path:
    """Writes a file that nobody else can read at any moment; one that is there already is replaced."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, CLOSED), "w") as file:
        file.write(text)
    return path
