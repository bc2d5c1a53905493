"""How a command gives its report: rows that it could not use, files that were asked for, and JSON on standard output."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from app import terminal
from app.csv_import.errors import UnreadableFile

#: How many unusable rows are named; all are counted.
NAMED = 20


@contextmanager
def unusable_input() -> Iterator[None]:
    """Treat an unreadable file as unusable input, not as a finding."""
    try:
        yield
    except UnreadableFile as error:
        terminal.fail(terminal.USAGE, str(error))


def name_unused(rows: Iterable[str], count: int) -> None:
    """Name the first unusable rows on standard error. count: of all of them."""
    for row in islice(rows, NAMED):
        terminal.complaints.print(row, markup=False, soft_wrap=True)
    if count > NAMED:
        terminal.complaints.print(f"and {count - NAMED:,} more that could not be used.", markup=False)


@contextmanager
def writable() -> Iterator[None]:
    """Treat a file that cannot be written as a wrong use of the command."""
    try:
        yield
    except OSError as error:
        terminal.fail(terminal.USAGE, f"{error.filename}: {error.strerror}; name a place that can be written")


def write_page(html: str, file: Path) -> None:
    """Write the page of the report. Raises OSError."""
    file.write_text(html, encoding="utf-8")
    terminal.complaints.print(f"The page is in {file}.", markup=False, soft_wrap=True)


def json_text(document: Any) -> str:
    """Return the report as JSON for people and programs."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def write_json(text: str, file: Path | None) -> None:
    """Write the report's JSON, where a file is named that is not "-", standard output. Raises OSError."""
    if file and not is_stdout(file):
        file.write_text(text + "\n", encoding="utf-8")
        terminal.complaints.print(f"The report as JSON is in {file}.", markup=False, soft_wrap=True)


def is_stdout(file: Path | None) -> bool:
    """Whether this names standard output."""
    return str(file) == "-"
