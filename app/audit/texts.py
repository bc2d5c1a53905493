"""Reads columns of a CSV file as texts, and texts as times, numbers and words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import polars as pl

from agreements.backtest.columns import INSTANT
from app.audit.left_out import LeftOutRows
from app.backtest.instants import Instants
from app.backtest.table import Block, Table, one_ahead
from app.csv_import.cells import instant, is_day, number_in
from app.csv_import.columns import refuse_missing
from app.csv_import.table_text import open_table, place_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class TextFile:
    """The columns to read from a file. columns: name -> the header's name for it. remedy: what to do where one is missing. encoding:
    of the file, empty for UTF-8."""

    path: Path
    columns: Mapping[str, str]
    remedy: str
    encoding: str = ""

    def blocks(self, left_out: LeftOutRows, beside: Callable[[Block], None], more: set[int], progress: Progress) -> Iterator[pl.DataFrame]:
        """Yield the rows block by block: `line`, and a text for each name.

        beside: gets each block too, with the columns at the places of `more`. Raises UnreadableFile.
        """
        table = Table(open_table(self.path, encoding=self.encoding, wanted=tuple(self.columns.values())))
        refuse_missing(table.header, list(self.columns.values()), str(self.path), remedy=self.remedy)
        places = {name: place_of(table.header, column)[0] for name, column in self.columns.items()}
        for block, end in one_ahead(table.blocks(sorted({*places.values(), *more}))):
            beside(block)
            yield self._texts(block, places, left_out)
            progress(end, table.size)

    def _texts(self, block: Block, places: Mapping[str, int], left_out: LeftOutRows) -> pl.DataFrame:
        plain = block.cells.select(pl.col("line").cast(pl.Int64), **{name: pl.col(str(place)) for name, place in places.items()})
        left_out.add("unreadable row", self.path.name, [(row.line, row.problem) for row in block.odd if row.problem])
        odd = [row for row in block.odd if not row.problem]
        if not odd:
            return plain
        made = {"line": [row.line for row in odd], **{name: [row.cells[place] for row in odd] for name, place in places.items()}}
        return pl.concat([plain, pl.DataFrame(made, schema=plain.schema)]).sort("line")


def no_block(block: Block) -> None:
    """Ignore the block."""


def with_times(frame: pl.DataFrame, name: str, instants: Instants, *, column: str, file: str, left_out: LeftOutRows) -> pl.DataFrame:
    """Return the frame with this column of texts as instants, and as `NAME_day` whether only a day was written.

    A time that cannot be read is noted and null.
    """
    read = instants.read(frame[name])
    found, days, bad = read["at"], read["day"], []
    odd = read["odd"].arg_true()
    if len(odd):
        known: dict[str, object] = {}
        for text in frame[name].gather(odd).unique().to_list():
            try:
                known[text] = instant(text, instants.zone, instants.year, instants.dates)
            except ValueError as error:
                bad.append((text, str(error)))
        table = pl.DataFrame(
            {name: list(known), "mended": list(known.values()), "is_day": [is_day(instants.dates.iso(text)) for text in known]},
            schema={name: pl.String, "mended": INSTANT, "is_day": pl.Boolean},
        )
        joined = frame.select(name).join(table, on=name, how="left", maintain_order="left")
        found, days = pl.select(pl.coalesce(found, joined["mended"]).alias("at"))["at"], days | joined["is_day"].fill_null(False)
    if bad:
        said = dict(bad)
        wrong = frame.filter(pl.col(name).is_in(list(said)))
        left_out.add_frame("unreadable time", file, wrong, lambda row: f"{column}: {said[row[name]]}")
    return frame.with_columns(found.cast(INSTANT).alias(name), days.alias(f"{name}_day"))


def with_amounts(frame: pl.DataFrame, name: str, *, sign: Literal[".", ","], column: str, file: str, left_out: LeftOutRows) -> pl.DataFrame:
    """Return the frame with this column of texts as numbers. A cell that is no number is noted and null."""
    values: dict[str, float | None] = {}
    said: dict[str, str] = {}
    for text in frame[name].unique().to_list():
        try:
            values[text] = float(number_in(text, sign) or 0) if text else None
        except ValueError as error:
            values[text], said[text] = None, str(error)
    if said:
        wrong = frame.filter(pl.col(name).is_in(list(said)))
        left_out.add_frame("unreadable amount", file, wrong, lambda row: f"{column}: {said[row[name]]}")
    return frame.with_columns(pl.col(name).replace_strict(list(values), list(values.values()), default=None, return_dtype=pl.Float64))


def meaning_of(texts: pl.Series, words: Mapping[Any, tuple[str, ...]]) -> pl.Series:
    """Return for each text the meaning that lists it, in any case; empty for no text, null for a text that none lists."""
    known = {cell.casefold(): meaning for meaning, cells in words.items() for cell in cells}
    distinct = texts.unique().to_list()
    found = [known.get(text.casefold(), None if text else "") for text in distinct]
    return texts.replace_strict(distinct, found, default=None, return_dtype=pl.String)
