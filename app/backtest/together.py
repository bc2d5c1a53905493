"""Joins rows of a file to leads: several rows with one id and person are several things that one lead did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from app.csv_import.lead_map import OUTCOMES, STAGES

WHO = ("source", "source_id", "person")
TIMES = OUTCOMES
#: These keep the value of the first row. For everything else the newest value counts, as when leads are taken in.
_FIRST = ("email", "entry_channel", "group", "line", "day")


@dataclass(frozen=True, slots=True)
class Together:
    """leads: one row each: `row`, the facts, `first_at` (the first contact, null where no time is given), `at` (the last), and
    the times of the outcome. activities: row, activity, path and at, by row and time. without_time: rows without a time;
    too_late: rows left out because sales had the lead already."""

    leads: pl.DataFrame
    activities: pl.DataFrame
    without_time: int
    too_late: int


def put_together(rows: pl.DataFrame, *, now: datetime) -> Together:
    """Return one row a lead: those that the file names once, then those it names again, both in its order.

    rows: as read, with the times of the lead's outcome. now: replaces a missing time. What a lead did after sales had it, or
    after it was won or lost, cannot have qualified anybody. Such rows are left out, except the first of a lead.
    """
    untold = rows["at"].null_count()
    rows = rows.with_columns(first_at="at", at=pl.col("at").fill_null(now))
    again = rows.select(pl.struct(WHO).is_duplicated().alias("again"))["again"]
    single = (rows.filter(~again) if again.any() else rows).with_row_index("row")
    if not again.any():
        return Together(single, _activities(single), untold, 0)
    several = _numbered(rows.filter(again), single.height).sort("row", "at", "line")
    had = [pl.col(name).min().over("row") for name in TIMES if name in rows.columns]
    late = (pl.col("at") > pl.min_horizontal(had)).fill_null(False) & ~pl.col("row").is_first_distinct() if had else pl.lit(False)
    kept = several.filter(~late)
    leads, activities = pl.concat([single, _folded(kept)]), pl.concat([_activities(single), _activities(kept)])
    return Together(leads, activities, untold, several.height - kept.height)


def _activities(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("row", "activity", "path", "at")


def _numbered(rows: pl.DataFrame, first: int) -> pl.DataFrame:
    """Return the rows with the number of their lead, counted from first."""
    numbers = rows.select(WHO).unique(maintain_order=True).with_row_index("row", offset=first)
    return rows.join(numbers, on=WHO, how="left", maintain_order="left").select("row", *rows.columns)


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
    if name in ("do_not_contact", *STAGES):
        return value.any()
    if kind == pl.String:
        return value.filter(value != "").last().fill_null("")  # blank in each row is blank, as in a file's only row of a lead
    return value.drop_nulls().last()
