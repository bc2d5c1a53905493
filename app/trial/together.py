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
    numbered = _numbered(rows)
    if numbered is None:
        leads = rows.with_row_index("row")
        return Together(leads, leads.select("row", "activity", "path", "at"), untold, 0)
    rows = numbered.sort("row", "at", "line")
    had = [pl.col(name).min().over("row") for name in TIMES if name in rows.columns]
    late = pl.lit(False) if not had else (pl.col("at") > pl.min_horizontal(had)).fill_null(False) & ~pl.col("row").is_first_distinct()
    kept = rows.filter(~late)
    return Together(_folded(kept), kept.select("row", "activity", "path", "at"), untold, rows.height - kept.height)


def _numbered(rows: pl.DataFrame) -> pl.DataFrame | None:
    """The rows with the number of their lead, None where each is a lead of its own."""
    if not rows.select(pl.struct(WHO).is_duplicated().any()).item():
        return None
    leads = rows.select(WHO).unique(maintain_order=True).with_row_index("row")
    return rows.join(leads, on=WHO, how="left", maintain_order="left")


def _folded(rows: pl.DataFrame) -> pl.DataFrame:
    several = pl.col("row").is_duplicated()
    facts = [name for name in rows.columns if name not in ("row", *WHO)]
    by_lead = rows.filter(several).group_by("row", maintain_order=True)
    folded = by_lead.agg(pl.col(WHO).first(), *(_fold(name, rows.schema[name]) for name in facts))
    return pl.concat([rows.filter(~several), folded.select(rows.columns)]).sort("row")


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
