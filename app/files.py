"""Where commands write to: files that are written whole or not at all, and standard output byte for byte."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO


@contextmanager
def written_whole(path: Path, *, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """Open a text file for writing. It gets its name only when all of it is written; the file of that name stays until then.

    Raises OSError where the file cannot be written. Leaves nothing half written, whatever is raised inside.
    """
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; name a file in it.")
    target = path.resolve()
    try:
        file = NamedTemporaryFile(  # noqa: SIM115 - it is closed below, before it gets its name
            "w", encoding=encoding, errors="replace", newline="", dir=target.parent, prefix=".baton-", delete=False
        )
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no folder {target.parent}; make it first.") from None
    except PermissionError:
        raise PermissionError(f"Nothing can be written into {target.parent}; name another folder, or change its rights.") from None
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(file.name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o600)
        Path(file.name).replace(target)
    finally:
        Path(file.name).unlink(missing_ok=True)


@contextmanager
def standard_output(*, encoding: str = "utf-8") -> Iterator[IO[str]]:
    """Open standard output in this encoding, whatever the terminal's is, with line ends as they are written."""
    out = io.TextIOWrapper(sys.stdout.buffer, encoding=encoding, errors="replace", newline="", write_through=True)
    try:
        yield out
    finally:
        out.flush()
        out.detach()
