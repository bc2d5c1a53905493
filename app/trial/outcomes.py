"""What became of past leads: when they were assigned, contacted, won, lost, as a file tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from agreements.columns import INSTANT
from app.csv_file import BadRow, header_in, instant
from app.csv_rows import Row
from app.lead_map import OUTCOMES, LeadMap, UnreadableFile
from app.trial.instants import Instants
from app.trial.table import Table

ID = "source_id"


@dataclass(frozen=True, slots=True)
class ToldTimes:
    """The outcomes that a file tells.

    times: a row each: `line`, `source_id` where asked for, the times by their names (null for none), and as `won_at_day` …
    whether a day alone was written. told: the times for which there is a column. columns: all columns of the file.
    """

    times: pl.DataFrame
    told: tuple[str, ...]
    columns: tuple[str, ...]
    bad: list[BadRow] = field(default_factory=list)


def read_times(
    path: Path,
    *,
    columns: Mapping[str, str],
    id_column: str,
    zone: ZoneInfo,
    today: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> ToldTimes:
    """The times that these columns of a CSV file tell. columns: name of the time -> column. id_column: empty for none.

    A time that cannot be read makes a bad row; the lead then has no such time. Raises UnreadableFile.
    """
    table = Table(path)
    wanted = {**({ID: id_column} if id_column else {}), **columns}
    if missing := [name for name in wanted.values() if name not in table.header]:
        raise UnreadableFile(f"{path}: these columns are missing: {', '.join(missing)}; there are: {', '.join(table.header)[:500]}")
    reading = _Reading({name: table.header.index(column) for name, column in wanted.items()}, wanted, Instants(zone, today.year))
    for block, end in table.blocks(sorted(set(reading.places.values()))):
        reading.take(block.cells, block.odd, keep_bad_rows=bool(id_column))
        if progress:
            progress(end, table.size)
    return ToldTimes(pl.concat(reading.frames), tuple(columns), table.header, sorted(reading.bad, key=lambda one: one.line))


def by_lead(told: ToldTimes) -> pl.DataFrame:
    """One row a lead: the first of each time that is told of it, and the line of the first row about it."""
    first = [pl.col(name).min() for name in told.told] + [
        pl.col(f"{name}_day").sort_by(name, nulls_last=True).first() for name in told.told
    ]
    return told.times.filter(pl.col(ID) != "").group_by(ID).agg(*first, outcome_line=pl.col("line").min())


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """Where the outcomes stand. columns: name of the time -> column. id_column: empty where they stand in the file of the
    leads. timezone: empty for that of the leads."""

    path: Path
    columns: dict[str, str]
    id_column: str
    timezone: str
    leads: Path

    def later_columns(self) -> tuple[str, ...]:
        """The columns that are written after contact: the times, and what stands in a file of its own only."""
        if not self.id_column:
            return tuple(self.columns.values())
        of_leads = header_in(self.leads)
        return tuple(name for name in header_in(self.path) if name not in of_leads)


def outcome_plan(leads: Path, mapping: LeadMap | None, other: Path | None) -> OutcomePlan | None:
    """Where the outcomes of these leads stand, None where nothing is told. other: a file that was named for them.

    Without a map, and without `outcomes` in it, the columns are called won_at, lost_at … Raises UnreadableFile.
    """
    said = mapping.outcomes if mapping else None
    path = other or (leads.parent / said.file if said and said.file else leads)
    own = path != leads
    id_column = (said.source_id if said else "") or (mapping.columns[ID] if mapping else ID)
    columns = said.columns if said else {name: name for name in OUTCOMES if name in header_in(path)}
    if other and "won_at" not in columns:
        raise UnreadableFile(f"{path}: has no column `won_at`; name the columns under `outcomes` in a map, and the map by --map")
    return OutcomePlan(path, dict(columns), id_column if own else "", said.timezone if said else "", leads) if columns else None


@dataclass(slots=True)
class _Reading:
    """Gathers the blocks of one file. places: of each column that is wanted; named: how it is called."""

    places: Mapping[str, int]
    named: Mapping[str, str]
    instants: Instants
    frames: list[pl.DataFrame] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)

    def __post_init__(self) -> None:
        kinds: dict[str, Any] = {"line": pl.UInt32, **{name: pl.String if name == ID else INSTANT for name in self.places}}
        kinds |= {f"{name}_day": pl.Boolean for name in self.places if name != ID}
        self.frames.append(pl.DataFrame(schema=kinds))

    def take(self, cells: pl.DataFrame, odd: list[Row], *, keep_bad_rows: bool) -> None:
        """Reads a block. keep_bad_rows: whether rows that are none are told here, and not by another reader."""
        cells = pl.concat([cells, self._as_cells([row for row in odd if not row.problem], cells)]).sort("line")
        self.bad += [BadRow(row.line, row.problem) for row in odd if row.problem and keep_bad_rows]
        frame = cells.select("line", **{name: pl.col(str(place)) for name, place in self.places.items()})
        for name in self.places:
            if name != ID:
                read = self.instants.read(frame[name])
                at = self._mended(read, frame["line"], frame[name], name)
                frame = frame.with_columns(at.alias(name), read["day"].alias(f"{name}_day"))
        if ID in self.places:
            nameless = frame.filter(pl.col(ID) == "")["line"]
            self.bad += [BadRow(line, f"{self.named[ID]}: is empty: say which lead this is") for line in nameless]
        self.frames.append(frame.select(pl.col(name).cast(kind) for name, kind in self.frames[0].schema.items()))

    def _as_cells(self, rows: list[Row], like: pl.DataFrame) -> pl.DataFrame:
        made = {name: [row.line if name == "line" else row.cells[int(name)] for row in rows] for name in like.columns}
        return pl.DataFrame(made, schema=like.schema)

    def _mended(self, read: pl.DataFrame, lines: pl.Series, texts: pl.Series, name: str) -> pl.Series:
        """The instants, with those that only the reader of single cells can tell."""
        at = read["at"]
        for place in read["odd"].arg_true().to_list():
            try:
                at[place] = instant(texts[place], self.instants.zone, self.instants.year)
            except ValueError as error:
                self.bad.append(BadRow(lines[place], f"{self.named[name]}: {error}"))
        return at
