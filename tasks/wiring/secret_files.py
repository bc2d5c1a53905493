"""Secrets in files of the home folder: made once, and closed to other users from the first byte."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

#: The modes of such a file and such a folder: only the owner has access.
CLOSED, CLOSED_FOLDER = 0o600, 0o700
#: The umask of every process of Baton.
UMASK = 0o077
_OTHERS = 0o077


def kept(folder: Path, name: str, *, prefix: str = "") -> str:
    """Return the secret in that file. Makes one where there is none: the prefix and 43 random characters."""
    path = folder / name
    if not path.exists():
        own = write(folder / f".{name}.{secrets.token_hex(4)}", prefix + secrets.token_urlsafe(32))
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(own, path)
        own.unlink()
    return path.read_text()


def write(path: Path, text: str) -> Path:
    """Writes a file that other users cannot read at any moment; replaces a file that is there already."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, CLOSED), "w") as file:
        file.write(text)
    return path


def close(folder: Path) -> str:
    """Closes the folder to other users. Returns what was found, in words; empty for a folder that was closed already."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    if not mode & _OTHERS:
        return ""
    try:
        folder.chmod(mode & ~_OTHERS)
    except OSError as error:
        return f"Others on this machine can look into {folder}, and that cannot be changed here ({error.strerror}): run chmod 700 on it."
    return f"Others on this machine could look into {folder}; now only its owner can."
