"""Reads the rows of a delimited text file as cells, each with the line on which it begins. row_judge.py knows what they mean."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.csv_import.errors import UnreadableFile

MAX_ROW_CHARACTERS = 100_000
#: After a quote that is never closed, reading continues at the next line. This limits how much is read twice.
MAX_LINES_READ_AGAIN = 1_000_000
#: Spaces that do not break a line. They count as spaces.
HARD_SPACES = "\u00a0\u2007\u202f"
#: A text that a spreadsheet keeps as it is, such as ="0012".
FORMULA_TEXT = r'^="(.*)"$'

_BAD_BYTE = re.compile("[\udc80-\udcff]")
_SOFTENED = str.maketrans(dict.fromkeys(HARD_SPACES, " "))
_OPEN_QUOTE = "a quote that opens on this line is not closed: close it, and double every quote inside a cell"
_TOO_LONG = f"the row is longer than {MAX_ROW_CHARACTERS:,} characters: shorten it"
_NUL = "the row holds a NUL byte, which is no text: remove it"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row without white space around them, or the mistake in the row. line: the file's first is 1."""

    line: int
    cells: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the rows of a file are written.

    width: the cells of a row. headed: those below a cell of the header; the others are empty. named: without the last ones whose
    columns have no name. All are 0 where any number will do.
    """

    delimiter: str
    width: int = 0
    headed: int = 0
    named: int = 0

    @property
    def ending(self) -> str:
        """Return how a row ends that has delimiters behind its last column."""
        return self.delimiter * (self.width - self.headed)

    def holds(self, cells: list[str]) -> bool:
        """Whether these are the cells of a row of this shape."""
        return not self.width or not any(cells) or (len(cells) == self.width and not any(cells[self.headed :]))

    def fitted(self, cells: list[str]) -> list[str]:
        """Return the cells of a row with as many cells as the header. Only empty cells at the end are cut off or added."""
        many = len(cells)
        if not self.width or many == self.width:
            return cells
        if many > self.width and not any(cells[self.width :]):
            return cells[: self.width]
        return cells + [""] * (self.width - many) if self.named <= many < self.width else cells


class Text:
    """The bytes of a text in UTF-8, its lines ended by \\n, read line by line from any place. A byte that is not UTF-8 becomes a
    lone surrogate, which shows the line that holds it."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._at, self._line, self._told = 0, "", 0

    def go_to(self, at: int) -> None:
        """Continue reading at this byte, where a line begins."""
        self._at, self._line, self._told = at, "", 0

    def readline(self, limit: int) -> str:
        """Return the next line, or up to limit characters of it; empty at the end."""
        if self._told == len(self._line):
            end = self.content.find(b"\n", self._at) + 1 or len(self.content)
            self._line, self._told = self.content[self._at : end].decode(errors="surrogateescape"), 0
            self._at = end
        piece = self._line[self._told : self._told + limit]
        self._told += len(piece)
        return piece


class Lines:
    """The lines of a text and their numbers; lines can be put back.

    A line longer than MAX_ROW_CHARACTERS is cut to one character over that. Raises UnreadableFile at the first line
    that is not UTF-8.
    """

    def __init__(self, text: Text, name: str) -> None:
        self.name, self.number = name, 0
        self._text, self._back, self._again = text, deque[str](), 0

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
        piece = self._text.readline(MAX_ROW_CHARACTERS + 1)
        if not piece.isascii() and (bad := _BAD_BYTE.search(piece)):
            byte = ord(bad.group()) - 0xDC00
            raise UnreadableFile(
                f"{self.name}:{self.number}: is not UTF-8, its first bad byte is 0x{byte:02x} on this line; name its encoding, as in"
                " --encoding windows-1252, or save it as UTF-8"
            )
        return piece

    def go_to(self, number: int, at: int) -> None:
        """Continue after the line of this number, which ends before this byte. Lines that were put back are dropped."""
        self._back.clear()
        self._text.go_to(at)
        self.number = number

    def put_back(self, lines: Sequence[str]) -> None:
        """Put back these lines, the last that were read, to be read next."""
        self._back.extendleft(reversed(lines))
        self.number -= len(lines)
        self._again += len(lines)
        if self._again > MAX_LINES_READ_AGAIN:
            raise UnreadableFile(f"{self.name}:{self.number}: quotes are left open all over the file; double every quote inside a cell")


def rows(lines: Lines, shape: Shape) -> Iterator[Row]:
    """Yield the rows from here on, without blank ones.

    A row over several lines that is not valid counts as an open quote: only its first line is bad, and reading continues at
    the next.
    """
    while (row := next_row(lines, shape)) is not None:
        if row.problem or any(row.cells):
            yield row


def next_row(lines: Lines, shape: Shape) -> Row | None:
    """Return the row that begins on the next line, None at the end. A blank row has no mistake and only empty cells."""
    start, taken, problem, cells = lines.number + 1, list[str](), "", list[str]()
    try:
        cells = [cleaned(cell) for cell in next(csv.reader(_until_too_long(lines, taken), delimiter=shape.delimiter, strict=True), [])]
    except (csv.Error, _TooLong) as error:
        problem = _TOO_LONG if isinstance(error, _TooLong) else _OPEN_QUOTE
    if not taken:
        return None
    cells = shape.fitted(cells)
    if not shape.holds(cells):
        problem = f"has {len(cells)} cells, the header has {shape.headed}: put a cell that holds the delimiter in quotes"
    if problem and len(taken) > 1:
        lines.put_back(taken[1:])
        problem = _OPEN_QUOTE
    elif any("\0" in line for line in taken):
        problem = _NUL
    return Row(start, tuple(cells), problem)


def cleaned(cell: str) -> str:
    """Return the text of a cell without white space around it, with usual spaces, and without the frame of ="0012"."""
    cell = cell.translate(_SOFTENED).strip() if not cell.isascii() else cell.strip()
    if cell.startswith('="') and (found := re.match(FORMULA_TEXT, cell, re.DOTALL)):
        return found[1].strip()
    return cell


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
