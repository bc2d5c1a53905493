"""Reads a CSV file of past leads as columns of facts: the same leads and bad rows that `csv_import.file.read_leads` finds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import polars as pl

from agreements.lead import IncomingLead
from app.backtest.row_facts import Facts
from app.backtest.table import Block, Table, one_ahead
from app.backtest.twins import without_twins
from app.csv_import.columns import ignored_columns
from app.csv_import.file import open_leads
from app.csv_import.lead_map import LeadMap, zone_of_file
from app.csv_import.row_judge import NO_ROWS, BadLead, BadRow, RowJudge
from app.csv_import.rows import Row

#: The facts that a row always keeps: they tell rows apart and join them to leads.
NEEDED = ("line", "day", "group", "source", "source_id", "conversion_id", "activity", "path", "at", "email", "first_name", "last_name")


class Beside(Protocol):
    """Reads other columns of the same file."""

    def places_in(self, header: Sequence[str]) -> set[int]:
        """Return the places of the columns to read."""

    def take(self, block: Block) -> None:
        """Reads a block."""


@dataclass(slots=True)
class ReadRows:
    """What a file holds, in its order.

    facts: one row each. `line` is where it begins, facts have the names of IncomingLead, and fields are `fields.NAME`; `day`
    says that `at` was written as a day without a time, `group` is the value of the column that groups the leads.
    ignored_columns: those from which nothing is read. left_out: lines above the header and below the rows, in words.
    """

    facts: pl.DataFrame
    bad: list[BadRow] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the caller wants from a file.

    keep: the facts and `fields.NAME` to keep, None for all. by: the fact that groups the leads. beside: reads the same
    blocks. block_bytes: how much is read at once, None for the default.
    """

    keep: Collection[str] | None = None
    by: str = ""
    beside: Beside | None = None
    block_bytes: int | None = None


def read_rows(
    path: Path,
    *,
    mapping: LeadMap | None,
    timezone: str = "UTC",
    limit: int | None = None,
    today: datetime,
    wanted: Wanted = Wanted(),
    progress: Callable[[int, int], None] | None = None,
) -> ReadRows:
    """Return every row of a CSV file as facts or as a bad row; the parameters are those of `csv_import.file.read_leads`.

    progress: called with how many bytes of how many are read.
    """
    zone = zone_of_file(mapping, timezone)
    table = Table(open_leads(path, mapping), **({"block_bytes": wanted.block_bytes} if wanted.block_bytes else {}))
    judge = RowJudge.of(table.header, mapping, zone=zone, today=today, file=str(path))
    reading = _Reading(Facts(judge, wanted.by), len(table.header), wanted.keep)
    beside = wanted.beside
    places = {column.index for column in judge.columns} | (beside.places_in(table.header) if beside else set())
    for block, end in one_ahead(table.blocks(sorted(places))):
        reading.take(block)
        if beside:
            beside.take(block)
        if progress:
            progress(end, table.size)
        if limit is not None and reading.count >= limit and len(reading.without_twins()[0]) >= limit:
            break
    return reading.result(limit, ignored_columns(table.header, judge.columns), table.left_out)


@dataclass(slots=True)
class _Reading:
    """Gathers the blocks of one file."""

    facts: Facts
    width: int
    keep: Collection[str] | None
    frames: list[pl.DataFrame] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    count: int = 0

    def take(self, block: Block) -> None:
        """Read a block: rows without a mistake side by side, the other rows one by one."""
        good, others = self.facts.read(block.cells)
        rows = [*block.odd, *self._singly(others)]
        single = self.facts.of_leads([one for row in rows if (one := self._judged(row))])
        found = self.facts.grouped(pl.concat([good, single]))
        self.frames.append(
            found.select(name for name in found.columns if self.keep is None or name in NEEDED or name in self.keep).sort("line")
        )
        self.count += found.height

    def _singly(self, cells: pl.DataFrame) -> list[Row]:
        names = [name for name in cells.columns if name != "line"]
        rows = []
        for row in cells.iter_rows(named=True):
            whole = [""] * self.width
            for name in names:
                whole[int(name)] = row[name]
            rows.append(Row(row["line"], tuple(whole)))
        return rows

    def _judged(self, row: Row) -> tuple[Row, IncomingLead] | None:
        try:
            return row, self.facts.judge.lead(row)
        except BadLead as error:
            self.bad.append(BadRow(row.line, str(error)))
            return None

    def without_twins(self) -> tuple[pl.DataFrame, list[BadRow]]:
        """Return the rows so far except doubles, and what is wrong with those."""
        rows = pl.concat(self.frames, rechunk=False) if self.frames else self.facts.grouped(self.facts.of_leads([]))
        return without_twins(rows, self.facts.judge.id_column)

    def result(self, limit: int | None, ignored: tuple[str, ...], left_out: tuple[str, ...]) -> ReadRows:
        """Return everything in the order of the file, up to this number of good rows."""
        rows, doubled = self.without_twins()
        bad = sorted([*self.bad, *doubled], key=lambda one: one.line)
        if limit is not None and rows.height >= limit:
            rows = rows.head(limit)
            last = rows["line"][-1] if limit else 0
            bad = [one for one in bad if one.line < last]
        elif not rows.height and not bad:
            bad = [NO_ROWS]
        return ReadRows(self.facts.kinds.typed(rows), bad, ignored, left_out)
