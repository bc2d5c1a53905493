"""Rows of a file put together to leads: several rows with one id are several things that one lead did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

WHO = ("source", "source_id")
TIMES = ("assigned_at", "contacted_at", "won_at", "lost_at")
#: What stays as the first row tells it; of everything else the newest that was told counts, as when leads are taken in.
_FIRST = ("email", "entry_channel", "group", "line", "day")


@dataclass(frozen=True, slots=True)
class Together:
    """leads: one row each, in the order of the file: `row`, the facts, `first_at` (the first contact, null where no time is
    told), `at` (the last), and the times of what became of it. activities: row, activity, path and at, by row and time.
    without_time: rows that tell no time; too_late: those left out because sales had the lead already."""

    leads: pl.DataFrame
    activities: pl.DataFrame
    without_time: int
    too_late: int


def put_together(rows: pl.DataFrame, *, now: datetime) -> Together:
    """One row a lead. rows: as read, with the times of what became of the lead. now: stands for a time that is not told.

    What a lead did after sales had it, or after it was won or lost, can have qualified nobody: such rows are left out, all but
    the first of a lead.
    """
    untold = rows["at"].null_count()
    rows = rows.with_columns(first_at="at", at=pl.col("at").fill_null(now))
    several = rows.select(pl.struct(WHO).is_duplicated().alias("several"))["several"]
    if not several.any():
        leads = rows.with_row_index("row")
        return Together(leads, _activities(leads), untold, 0)
    rows = _numbered(rows, several)
    single, some = rows.filter(~several), rows.filter(several).sort("row", "at", "line")
    had = [pl.col(name).min().over("row") for name in TIMES if name in rows.columns]
    late = (pl.col("at") > pl.min_horizontal(had)).fill_null(False) & ~pl.col("row").is_first_distinct() if had else pl.lit(False)
    kept = some.filter(~late)
    leads = pl.concat([single, _folded(kept)]).sort("row")
    activities = pl.concat([_activities(single), _activities(kept)]).sort("row", maintain_order=True)
    return Together(leads, activities, untold, some.height - kept.height)


def _activities(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("row", "activity", "path", "at")


def _numbered(rows: pl.DataFrame, several: pl.Series) -> pl.DataFrame:
    """The rows with the number of their lead: leads stand in the order in which the file names them first."""
    first = rows.select(first=pl.struct(WHO).is_first_distinct())["first"]
    rows = rows.with_columns(row=(first.cum_sum() - 1).cast(pl.UInt32))
    numbers = rows.filter(several & first).select(*WHO, number="row")
    again = rows.filter(several).join(numbers, on=WHO, how="left", maintain_order="left")["number"]
    return rows.with_columns(row=rows["row"].scatter(several.arg_true(), again))


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    facts = [name for name in rows.columns if name not in ("row", *WHO)]
    by_lead = rows.group_by("row", maintain_order=True)
    return by_lead.agg(pl.col(WHO).first(), *(_fold(name, rows.schema[name]) for name in facts)).select(rows.columns)


def _fold(name: str, kind: pl.DataType) -> pl.Expr:
    value = pl.col(name)
    if name in _FIRST:
        return value.first()
    if name == "first_at" or name in TIMES:
        return value.min()
    if name == "at":
        return value.max()
    if name == "do_not_contact":
        return value.any()
    told = value.filter(value != "") if kind == pl.String else value.drop_nulls()
    return told.last()
