"""Reads a CSV file in blocks: plain lines side by side, and the others by the reader of single rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import polars as pl

from app.csv_import.errors import UnreadableFile
from app.csv_import.rows import HARD_SPACES, MAX_ROW_CHARACTERS, Lines, Row, Text, next_row
from app.csv_import.table_text import TableText

BLOCK_BYTES = 32_000_000
T = TypeVar("T")
_HARD_BYTES = tuple(one.encode() for one in HARD_SPACES)
#: Characters that Python takes for white space, or for the end of a text, and other readers do not; and those that an import replaces.
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f]"
_WHITE = " \t\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of lines of the file.

    cells: the `line` on which each plain row begins, and one text column for each requested column, named by its place ("0", "1" …),
    without white space around the text. odd: the other rows, as the reader of single rows sees them.
    """

    cells: pl.DataFrame
    odd: list[Row]


@dataclass(frozen=True, slots=True)
class _OddRows:
    """rows: those of a block that begin on lines which are not plain. gone: the places of lines that belong to another row. taken: how
    many lines of the next block belong to one. end: why nothing behind these rows can be read; None where the file goes on."""

    rows: list[Row]
    gone: list[int]
    taken: int
    end: UnreadableFile | None = None


class Table:
    """The rows of a file block by block. size: in bytes.

    Raises UnreadableFile as the reader of single rows does.
    """

    def __init__(self, text: TableText, *, block_bytes: int = BLOCK_BYTES) -> None:
        self._text, self._block_bytes = Text(text.content), block_bytes
        self._lines = Lines(self._text, text.name)
        self.size, self.shape, self.header = len(text.content), text.shape, text.header
        self._start, self._line, self.left_out = text.start, text.line, text.left_out
        quoted, plain = '"(?:[^"]|"")*"', f'[^"{re.escape(text.shape.delimiter)}]*'
        cell, between = f"(?:{quoted}|{plain})", re.escape(text.shape.delimiter)
        self._well_quoted, self._quoted = f"^{cell}(?:{between}{cell})*$", quoted

    def blocks(self, wanted: list[int]) -> Iterator[tuple[Block, int]]:
        """Yield the rows after the header, and up to which byte of the file they go. wanted: places of the columns to read."""
        at, line, taken = self._start, self._line, 0
        while at < self.size:
            texts, end = self._texts_from(at, line)
            plain = self._plain(texts)
            odd = self._odd_rows(texts["text"], plain, at=at, line=line, taken=taken)
            if odd.gone:
                plain = plain & ~pl.int_range(len(plain), eager=True).is_in(odd.gone)
            yield Block(self._cells(texts["text"], plain, self._text.content[at:end], line, wanted), odd.rows), end
            if odd.end:
                raise odd.end
            at, line, taken = end, line + texts.height, odd.taken

    def _texts_from(self, at: int, line: int) -> tuple[pl.DataFrame, int]:
        """Return the lines from this byte on, and the byte after the last of them. line: how many come before."""
        content = self._text.content
        end = content.find(b"\n", min(at + self._block_bytes, self.size - 1)) + 1 or self.size
        try:
            text = content[at:end].decode()
        except UnicodeDecodeError as error:
            end = content.rfind(b"\n", at, at + error.start) + 1
            if end <= at:
                self._read_on(at, line)
                next(self._lines)  # raises UnreadableFile, which names the line and the byte
            text = content[at:end].decode()
        return pl.DataFrame({"text": _lines_of(text)}), end

    def _plain(self, texts: pl.DataFrame) -> pl.Series:
        """Return which lines are whole rows that every CSV reader reads alike, with a cell for each column."""
        text = pl.col("text")
        has_quote = text.str.contains('"', literal=True)
        bare = pl.when(has_quote).then(text.str.replace_all(self._quoted, "")).otherwise(text)
        # Polars calculates the columns of one select side by side.
        found = texts.select(
            clean=(text.str.len_bytes() < MAX_ROW_CHARACTERS) & ~text.str.contains(_CONTROL) & ~text.str.contains('="', literal=True),
            well_quoted=~has_quote | text.str.contains(self._well_quoted),
            whole=bare.str.count_matches(self.shape.delimiter, literal=True) == len(self.header) - 1,
            ended=text.str.ends_with(self.shape.ending),
            filled=text.str.strip_chars(_WHITE + self.shape.delimiter + '"') != "",
        )
        return found.select(plain=pl.all_horizontal(pl.all()))["plain"]

    def _odd_rows(self, texts: pl.Series, plain: pl.Series, *, at: int, line: int, taken: int) -> _OddRows:
        """Return the rows that begin on lines which are not plain. taken: how many of these lines belong to a row of the block before."""
        rows, gone, free = list[Row](), list(range(min(taken, len(texts)))), taken
        if plain.all():
            return _OddRows(rows, gone, max(0, free - len(texts)))
        begins = (texts.str.len_bytes().cast(pl.Int64) + 1).cum_sum() - texts.str.len_bytes() - 1 + at
        for place in (~plain).arg_true().to_list():
            if place < free:
                continue
            self._read_on(begins[place], line + place)
            try:
                row = next_row(self._lines, self.shape)
            except UnreadableFile as error:
                return _OddRows(rows, [*gone, *range(place, len(texts))], 0, error)
            free = self._lines.number - line
            gone += range(place + 1, min(free, len(texts)))
            if row and (row.problem or any(row.cells)):
                rows.append(row)
        return _OddRows(rows, gone, max(0, free - len(texts)))

    def _read_on(self, at: int, line: int) -> None:
        self._lines.go_to(line, at)

    def _cells(self, texts: pl.Series, plain: pl.Series, raw: bytes, line: int, wanted: list[int]) -> pl.DataFrame:
        numbers = (plain.arg_true() + (line + 1)).alias("line")
        names = [str(place) for place in wanted]
        if not len(numbers):
            return pl.DataFrame({"line": numbers, **{name: pl.Series([], dtype=pl.String) for name in names}})
        text = raw if plain.all() else texts.filter(plain).str.join("\n").item().encode()
        quote = '"' if b'"' in text else None
        cells = pl.read_csv(
            text,
            has_header=False,
            infer_schema=False,
            separator=self.shape.delimiter,
            quote_char=quote,
            columns=wanted,
            new_columns=names,
            raise_if_empty=False,
        )
        values = pl.all().fill_null("")
        if any(one in text for one in _HARD_BYTES):
            values = values.str.replace_all(f"[{HARD_SPACES}]", " ")
        return cells.select(numbers, values.str.strip_chars())


def one_ahead(blocks: Iterator[T]) -> Iterator[T]:
    """Yield the same blocks; the next is read while one is used."""
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(next, blocks, None)
        while (block := coming.result()) is not None:
            coming = reader.submit(next, blocks, None)
            yield block


def _lines_of(text: str) -> pl.Series:
    lines: pl.Series = pl.Series([text.removesuffix("\n")]).str.split("\n")[0]
    return lines
