"""Secrets in files of the home folder: made once, and closed to everybody else from the first byte."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

#: Who may read and write such a file, and look into such a folder: its owner.
CLOSED, CLOSED_FOLDER = 0o600, 0o700
#: What every process takes away from the rights of the files that it makes.
UMASK = 0o077
_OTHERS = 0o077


def kept(folder: Path, name: str, *, prefix: str = "") -> str:
    """The secret in that file. Where there is none, one is made: the prefix and 43 random characters."""
    path = folder / name
    if not path.exists():
        own = write(folder / f".{name}.{secrets.token_hex(4)}", prefix + secrets.token_urlsafe(32))
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


def close(folder: Path) -> str:
    """Takes away the right of others to look into the folder. What was found, in words, empty for a folder that was closed."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & _OTHERS:
        return ""
    try:
        folder.chmod(mode & ~_OTHERS)
    except OSError as error:
        return f"Others on this machine can look into {folder}, and that cannot be changed here ({error.strerror}): run chmod 700 on it."
    return f"Others on this machine could look into {folder}; now only its owner can."
