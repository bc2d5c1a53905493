"""Reads what became of past leads: when they were assigned, contacted, won or lost, as a file says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from agreements.backtest.columns import INSTANT
from app.backtest.instants import Instants
from app.backtest.table import Block, Table
from app.csv_import.cells import instant
from app.csv_import.columns import refuse_missing
from app.csv_import.file import BadRow, header_in
from app.csv_import.lead_map import OUTCOMES, LeadMap, UnreadableFile
from app.csv_import.rows import Row

ID = "source_id"


@dataclass(frozen=True, slots=True)
class ToldTimes:
    """The outcomes in a file.

    times: a row each: `line`, `source_id` where asked for, the times by their names (null for none), and as `won_at_day` …
    whether only a day was written. told: the times for which there is a column.
    """

    times: pl.DataFrame
    told: tuple[str, ...]
    bad: list[BadRow] = field(default_factory=list)


def read_times(plan: OutcomePlan, *, zone: ZoneInfo, today: datetime, progress: Callable[[int, int], None] | None = None) -> ToldTimes:
    """Return the times in a file of outcomes. zone: of times without a zone. Raises UnreadableFile.

    A time that cannot be read makes a bad row; the lead then has no such time.
    """
    table, times = Table(plan.path), Times(plan, zone, today)
    for block, end in table.blocks(sorted(times.places_in(table.header))):
        times.take(block)
        if progress:
            progress(end, table.size)
    return times.told()


def by_lead(told: ToldTimes) -> pl.DataFrame:
    """Return one row a lead: the first of each time recorded for it, and the line of the first row about it."""
    first = [pl.col(name).min() for name in told.told] + [
        pl.col(f"{name}_day").sort_by(name, nulls_last=True).first() for name in told.told
    ]
    return told.times.filter(pl.col(ID) != "").group_by(ID).agg(*first, outcome_line=pl.col("line").min())


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """Where the outcomes are. columns: name of the time -> column. id_column: empty where the outcomes are in the file of the
    leads. timezone: empty for that of the leads."""

    path: Path
    columns: dict[str, str]
    id_column: str
    timezone: str
    leads: Path

    def later_columns(self) -> tuple[str, ...]:
        """Return the columns written after contact: the times, and all columns that are only in the file of outcomes."""
        if not self.id_column:
            return tuple(self.columns.values())
        of_leads = header_in(self.leads)
        return tuple(name for name in header_in(self.path) if name not in of_leads)


def outcome_plan(leads: Path, mapping: LeadMap | None, other: Path | None) -> OutcomePlan | None:
    """Return where the outcomes of these leads are, None where there are none. other: a file that the user named for them.

    Without a map, and without `outcomes` in it, the columns are called won_at, lost_at … Raises UnreadableFile.
    """
    said = mapping.outcomes if mapping else None
    path = other or (leads.parent / said.file if said and said.file else leads)
    own = path != leads
    id_column = (said.source_id if said else "") or (mapping.columns[ID] if mapping else ID)
    columns = said.columns if said else {name: name for name in OUTCOMES if name in header_in(path)}
    if other and "won_at" not in columns:
        raise UnreadableFile(f"{path}: has no column `won_at`; name the columns under `outcomes` in a map, and the map with --map")
    return OutcomePlan(path, dict(columns), id_column if own else "", said.timezone if said else "", leads) if columns else None


class Times:
    """Reads the times of outcomes block by block: from a separate file, or beside the reader of the leads."""

    def __init__(self, plan: OutcomePlan, zone: ZoneInfo, today: datetime) -> None:
        self.plan, self.instants = plan, Instants(zone, today.year)
        self.named = {**({ID: plan.id_column} if plan.id_column else {}), **plan.columns}
        self.kinds: dict[str, Any] = {"line": pl.UInt32, **{name: pl.String if name == ID else INSTANT for name in self.named}}
        self.kinds |= {f"{name}_day": pl.Boolean for name in plan.columns}
        self.frames = [pl.DataFrame(schema=self.kinds)]
        self.bad: list[BadRow] = []
        self.places: dict[str, int] = {}

    def places_in(self, header: Sequence[str]) -> set[int]:
        """Return the places of the columns to read. Raises UnreadableFile for missing ones and for two of one name."""
        remedy = "Rename the columns, or write under `outcomes` in the map what they are called"
        refuse_missing(header, list(self.named.values()), str(self.plan.path), remedy=remedy)
        self.places = {name: header.index(column) for name, column in self.named.items()}
        return set(self.places.values())

    def take(self, block: Block) -> None:
        """Read a block. Unreadable rows are reported here only where no other reader reports them."""
        cells = pl.concat([block.cells, self._as_cells([row for row in block.odd if not row.problem], block.cells)]).sort("line")
        frame = cells.select("line", **{name: pl.col(str(place)) for name, place in self.places.items()})
        for name in self.plan.columns:
            read = self.instants.read(frame[name])
            at = self._mended(read, frame["line"], frame[name], name)
            frame = frame.with_columns(at.alias(name), read["day"].alias(f"{name}_day"))
        if self.plan.id_column:
            self.bad += [BadRow(row.line, row.problem) for row in block.odd if row.problem]
            nameless = frame.filter(pl.col(ID) == "")["line"]
            self.bad += [BadRow(line, f"{self.named[ID]}: is empty: write the lead's id") for line in nameless]
        self.frames.append(frame.select(pl.col(name).cast(kind) for name, kind in self.kinds.items()))

    def told(self) -> ToldTimes:
        """Return what was read so far."""
        return ToldTimes(pl.concat(self.frames), tuple(self.plan.columns), sorted(self.bad, key=lambda one: one.line))

    def _as_cells(self, rows: list[Row], like: pl.DataFrame) -> pl.DataFrame:
        made = {name: [row.line if name == "line" else row.cells[int(name)] for row in rows] for name in like.columns}
        return pl.DataFrame(made, schema=like.schema)

    def _mended(self, read: pl.DataFrame, lines: pl.Series, texts: pl.Series, name: str) -> pl.Series:
        """Return the instants, with those that only the reader of single cells can tell."""
        at = read["at"]
        for place in read["odd"].arg_true().to_list():
            try:
                at[place] = instant(texts[place], self.instants.zone, self.instants.year)
            except ValueError as error:
                self.bad.append(BadRow(lines[place], f"{self.named[name]}: {error}"))
        return at
