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
from app.csv_import.dates import Dates
from app.csv_import.errors import UnreadableFile
from app.csv_import.file import BadRow, open_leads
from app.csv_import.lead_map import OUTCOMES, LeadMap, StageColumn
from app.csv_import.rows import Row
from app.csv_import.table_text import open_table, place_of

ID = "source_id"


@dataclass(frozen=True, slots=True)
class ToldTimes:
    """The outcomes in a file.

    times: a row each: `line`, `source_id` where asked for, the times by their names (null for none), as `won_at_day` …
    whether only a day was written, and as `won` … what a word says. told: the times for which there is a column. said: the
    words for which there is a column.
    """

    times: pl.DataFrame
    told: tuple[str, ...]
    bad: list[BadRow] = field(default_factory=list)
    said: tuple[str, ...] = ()


def read_times(plan: OutcomePlan, *, zone: ZoneInfo, today: datetime, progress: Callable[[int, int], None] | None = None) -> ToldTimes:
    """Return the times in a file of outcomes. zone: of times without a zone. Raises UnreadableFile.

    A time that cannot be read makes a bad row; the lead then has no such time.
    """
    table, times = Table(open_table(plan.path, encoding=plan.encoding, wanted=plan.names)), Times(plan, zone, today)
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
    said = [pl.col(name).any() for name in told.said]
    return told.times.filter(pl.col(ID) != "").group_by(ID).agg(*first, *said, outcome_line=pl.col("line").min())


@dataclass(frozen=True, slots=True)
class OutcomePlan:
    """Where the outcomes are.

    columns: name of the time -> column. stages: what happened -> the column that says it by a word. id_column: empty where the
    outcomes are in the file of the leads. timezone: empty for that of the leads. dates: how times are written. encoding: of the
    file. leads: the file of leads.
    """

    path: Path
    columns: dict[str, str]
    id_column: str
    timezone: str
    stages: dict[str, StageColumn] = field(default_factory=dict)
    dates: Dates = Dates()
    encoding: str = ""
    leads: tuple[Path, LeadMap | None] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all columns that the outcomes need."""
        ids = (self.id_column,) if self.id_column else ()
        return (*ids, *self.columns.values(), *(stage.column for stage in self.stages.values()))

    def later_columns(self) -> tuple[str, ...]:
        """Return the columns written after contact: the outcomes, and all columns that are only in the file of outcomes."""
        if not self.id_column:
            return self.names
        of_leads = open_leads(*self.leads).header if self.leads else ()
        there = open_table(self.path, encoding=self.encoding, wanted=self.names).header
        return tuple(name for name in there if name not in of_leads)


def outcome_plan(leads: Path, mapping: LeadMap | None, other: Path | None) -> OutcomePlan | None:
    """Return where the outcomes of these leads are, None where there are none. other: a file that the user named for them.

    Without a map, and without `outcomes` in it, the columns are called won_at, lost_at … Raises UnreadableFile.
    """
    said = mapping.outcomes if mapping else None
    path = other or (leads.parent / said.file if said and said.file else leads)
    own, encoding = path != leads, mapping.encoding if mapping else ""
    id_column = (said.source_id if said else "") or (mapping.columns[ID] if mapping else ID)
    columns = said.columns if said else _by_name(path, encoding, mapping, own=own)
    if other and "won_at" not in columns and not (said and said.won):
        raise UnreadableFile(f"{path}: has no column `won_at`; name the columns under `outcomes` in a map, and the map with --map")
    if not columns and not said:
        return None
    dates = Dates(said.dates) if said and said.dates else mapping.dates_of("outcomes") if mapping else Dates()
    stages = said.stages if said else {}
    return OutcomePlan(
        path, dict(columns), id_column if own else "", said.timezone if said else "", stages, dates, encoding, (leads, mapping)
    )


def _by_name(path: Path, encoding: str, mapping: LeadMap | None, *, own: bool) -> dict[str, str]:
    table = open_table(path, encoding=encoding, wanted=("won_at",)) if own else open_leads(path, mapping)
    return {name: name for name in OUTCOMES if name in table.header}


class Times:
    """Reads the times of outcomes block by block: from a separate file, or beside the reader of the leads."""

    def __init__(self, plan: OutcomePlan, zone: ZoneInfo, today: datetime) -> None:
        self.plan, self.instants = plan, Instants(zone, today.year, plan.dates)
        self.named = {**({ID: plan.id_column} if plan.id_column else {}), **plan.columns}
        self.kinds: dict[str, Any] = {"line": pl.UInt32, **{name: pl.String if name == ID else INSTANT for name in self.named}}
        self.kinds |= {f"{name}_day": pl.Boolean for name in plan.columns}
        self.kinds |= dict.fromkeys(plan.stages, pl.Boolean)
        self.named |= {name: stage.column for name, stage in plan.stages.items()}
        self.frames = [pl.DataFrame(schema=self.kinds)]
        self.bad: list[BadRow] = []
        self.places: dict[str, int] = {}

    def places_in(self, header: Sequence[str]) -> set[int]:
        """Return the places of the columns to read. Raises UnreadableFile for missing ones and for two of one name."""
        remedy = "Rename the columns, or write under `outcomes` in the map what they are called"
        refuse_missing(header, list(self.named.values()), str(self.plan.path), remedy=remedy)
        self.places = {name: place_of(header, column)[0] for name, column in self.named.items()}
        return set(self.places.values())

    def take(self, block: Block) -> None:
        """Read a block. Unreadable rows are reported here only where no other reader reports them."""
        cells = pl.concat([block.cells, self._as_cells([row for row in block.odd if not row.problem], block.cells)]).sort("line")
        frame = cells.select("line", **{name: pl.col(str(place)) for name, place in self.places.items()})
        for name in self.plan.columns:
            read = self.instants.read(frame[name])
            at = self._mended(read, frame["line"], frame[name], name)
            frame = frame.with_columns(at.alias(name), read["day"].alias(f"{name}_day"))
        frame = self._with_words(frame)
        if self.plan.id_column:
            self.bad += [BadRow(row.line, row.problem) for row in block.odd if row.problem]
            nameless = frame.filter(pl.col(ID) == "")["line"]
            self.bad += [BadRow(line, f"{self.named[ID]}: is empty: write the lead's id") for line in nameless]
        self.frames.append(frame.select(pl.col(name).cast(kind) for name, kind in self.kinds.items()))

    def _with_words(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with what the words say. A time beside a word counts only where the word says yes."""
        for name, stage in self.plan.stages.items():
            frame = frame.with_columns(pl.col(name).str.to_lowercase().is_in([one.lower() for one in stage.words]))
            if f"{name}_at" in self.plan.columns:
                frame = frame.with_columns(pl.when(pl.col(name)).then(pl.col(f"{name}_at")).alias(f"{name}_at"))
        return frame

    def told(self) -> ToldTimes:
        """Return what was read so far."""
        bad = sorted(self.bad, key=lambda one: one.line)
        return ToldTimes(pl.concat(self.frames), tuple(self.plan.columns), bad, tuple(self.plan.stages))

    def _as_cells(self, rows: list[Row], like: pl.DataFrame) -> pl.DataFrame:
        made = {name: [row.line if name == "line" else row.cells[int(name)] for row in rows] for name in like.columns}
        return pl.DataFrame(made, schema=like.schema)

    def _mended(self, read: pl.DataFrame, lines: pl.Series, texts: pl.Series, name: str) -> pl.Series:
        """Return the instants, with those that only the reader of single cells can tell."""
        at = read["at"]
        for place in read["odd"].arg_true().to_list():
            try:
                at[place] = instant(texts[place], self.instants.zone, self.instants.year, self.plan.dates)
            except ValueError as error:
                self.bad.append(BadRow(lines[place], f"{self.named[name]}: {error}"))
        return at
