"""Reads the rows of a delimited text file as cells, each with the line on which it begins. row_judge.py knows what they mean."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from app.csv_import.lead_map import UnreadableFile

DELIMITERS = ",;\t"
MAX_ROW_CHARACTERS = 100_000
#: After a quote that is never closed, reading continues at the next line. This limits how much is read twice.
MAX_LINES_READ_AGAIN = 1_000_000

_BAD_BYTE = re.compile("[\udc80-\udcff]")
_OPEN_QUOTE = "a quote that opens on this line is not closed: close it, and double every quote inside a cell"
_TOO_LONG = f"the row is longer than {MAX_ROW_CHARACTERS:,} characters: shorten it"
_NUL = "the row holds a NUL byte, which is no text: remove it"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row without white space around them, or the mistake in the row. line: the file's first is 1."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    """Return what to say of a file that cannot be opened or read."""
    return UnreadableFile(f"{path}: {error.strerror or error}; name a CSV file that can be read")


class Lines:
    """The lines of a file, opened with errors="surrogateescape", and their numbers; lines can be put back.

    A line longer than MAX_ROW_CHARACTERS is cut to one character over that. Raises UnreadableFile at the first line
    that is not UTF-8.
    """

    def __init__(self, file: TextIO, name: str) -> None:
        self.name, self.number = name, 0
        self._file, self._back, self._again = file, deque[str](), 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1
        if self._back:
            return self._back.popleft()
        line = rest = self._piece()
        while len(rest) > MAX_ROW_CHARACTERS and not rest.endswith("\n"):
            rest = self._piece()
        if not line:
            self.number -= 1
            raise StopIteration
        return line

    def _piece(self) -> str:
        piece = self._file.readline(MAX_ROW_CHARACTERS + 1)
        if not piece.isascii() and (bad := _BAD_BYTE.search(piece)):
            byte = ord(bad.group()) - 0xDC00
            raise UnreadableFile(
                f"{self.name}:{self.number}: is not UTF-8, its first bad byte is 0x{byte:02x} on this line; save it as UTF-8"
            )
        return piece

    def go_to(self, number: int) -> None:
        """Continue after the line of this number, where the file is already. Lines that were put back are dropped."""
        self._back.clear()
        self.number = number

    def put_back(self, lines: Sequence[str]) -> None:
        """Put back these lines, the last that were read, to be read next."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)
        self._again += len(lines)
        if self._again > MAX_LINES_READ_AGAIN:
            raise UnreadableFile(f"{self.name}:{self.number}: quotes are left open all over the file; double every quote inside a cell")


def header_of(lines: Lines) -> tuple[str, tuple[str, ...]]:
    """Return the delimiter and the cells of the first row that is not blank. Raises UnreadableFile where there is none to use."""
    first = next((line for line in lines if line.strip(" \n" + DELIMITERS)), None)
    if first is None:
        raise UnreadableFile(f"{lines.name}: is empty; its first line names the columns")
    lines.put_back([first])
    delimiter = max(DELIMITERS, key=lambda one: len(next(csv.reader([first], delimiter=one))))
    header = next(rows(lines, delimiter), None)
    if header is None or header.problem:
        problem = header.problem if header else "the first line has no names of columns"
        raise UnreadableFile(f"{lines.name}:{lines.number}: the header cannot be read: {problem}")
    return delimiter, header.cells


def rows(lines: Lines, delimiter: str, width: int = 0) -> Iterator[Row]:
    """Yield the rows from here on, without blank ones. width: how many cells a row must have; 0 takes any number.

    A row over several lines that is not valid counts as an open quote: only its first line is bad, and reading continues at
    the next.
    """
    while (row := next_row(lines, delimiter, width)) is not None:
        if row.problem or any(row.cells):
            yield row


def next_row(lines: Lines, delimiter: str, width: int = 0) -> Row | None:
    """Return the row that begins on the next line, None at the end. A blank row has no mistake and only empty cells."""
    start, taken, problem, cells = lines.number + 1, list[str](), "", list[str]()
    try:
        cells = [cell.strip() for cell in next(csv.reader(_until_too_long(lines, taken), delimiter=delimiter, strict=True), [])]
    except (csv.Error, _TooLong) as error:
        problem = _TOO_LONG if isinstance(error, _TooLong) else _OPEN_QUOTE
    if not taken:
        return None
    if any(cells) and width and len(cells) != width:
        problem = f"has {len(cells)} cells, the header has {width}: put a cell that holds the delimiter in quotes"
    if problem and len(taken) > 1:
        lines.put_back(taken[1:])
        problem = _OPEN_QUOTE
    elif any("\0" in line for line in taken):
        problem = _NUL
    return Row(start, tuple(cells), problem)


class _TooLong(Exception):
    """The row is longer than any row may be."""


def _until_too_long(lines: Lines, taken: list[str]) -> Iterator[str]:
    size = 0
    for line in lines:
        taken.append(line)
        size += len(line)
        if size > MAX_ROW_CHARACTERS:
            raise _TooLong
        yield line
