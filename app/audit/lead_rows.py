"""Reads the export of leads: one row a lead, with its outcome, from one file or two."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from agreements.backtest.columns import INSTANT
from app.audit.lead_source import BESIDE, NAMES, REMEDY, TIMES, LeadSource
from app.audit.left_out import LeftOutRows
from app.audit.possible import possible
from app.audit.texts import TextFile, meaning_of, no_block, with_amounts, with_times
from app.backtest.instants import Instants
from app.backtest.outcomes import OutcomePlan, Times, ToldTimes, by_lead, outcome_plan
from app.csv_import.errors import UnreadableFile
from app.csv_import.file import header_in
from app.csv_import.lead_map import STAGES, zone_of
from app.csv_import.table_text import place_of


@dataclass(frozen=True, slots=True)
class LeadRows:
    """leads: one row each, see `read_leads`. named_again: rows of a lead that has an earlier row. outcomes, joined: the leads that
    the file with the outcomes names, and how many of these the leads file has; None without such a file. told: what the files
    have a column for. unmapped: statuses that the map does not name, with their numbers. missing: what the map names and no file
    has, with its column."""

    leads: pl.DataFrame
    named_again: int
    outcomes: int | None
    joined: int | None
    told: frozenset[str]
    unmapped: Mapping[str, int]
    missing: Mapping[str, str]


def read_leads(source: LeadSource, *, now: datetime, left_out: LeftOutRows, progress: Callable[[str, int, int], None]) -> LeadRows:
    """Return one row a lead: line, source_id, source, owner, status (its meaning), reason, tier, amount, and the times created,
    assigned_at, contacted_at, won_at, lost_at, each with `NAME_day`. What no file tells is null. won, lost, contacted, assigned:
    whether a word says so. doubtful: an outcome cannot be.

    now: times after it are left out. Raises UnreadableFile.
    """
    columns = source.columns()
    header = header_in(source.path, encoding=source.encoding, wanted=tuple(columns.values()))
    if "source_id" not in columns:
        raise UnreadableFile(f"{source.path}: no column holds the id of each lead, such as {', '.join(NAMES['source_id'])}. {REMEDY}")
    plan = outcome_plan(source.path, source.mapping, None)
    own_file = plan is not None and bool(plan.id_column)
    other_header = header_in(plan.path, encoding=plan.encoding, wanted=plan.names) if plan and own_file else ()
    lacking = {name: column for name, column in columns.items() if name in (*BESIDE, "source") and not place_of(header, column)}
    later = {name: column for name, column in lacking.items() if place_of(other_header, column)}
    columns = {name: column for name, column in columns.items() if name not in lacking or name in later}
    here = {name: column for name, column in columns.items() if name not in later}
    times = Times(plan, zone_of(plan.timezone) if plan.timezone else source.zone, now) if plan and not own_file else None
    rows, again = _rows(source, here, times, now, left_out, lambda done, whole: progress("leads", done, whole))
    outcomes = joined = None
    if plan and own_file:
        told, texts = _other_file(plan, later, source, now, left_out, lambda done, whole: progress("outcomes", done, whole))
        rows, outcomes, joined = _joined(rows, told, texts, plan, left_out)
    leads, unmapped = _meant(_whole(rows, source, columns, left_out), source)
    told_names = frozenset({*columns, *((*plan.columns, *plan.stages) if plan else ())})
    missing = {name: column for name, column in lacking.items() if name not in later}
    return LeadRows(possible(leads, source, plan, now, left_out), again, outcomes, joined, told_names, unmapped, missing)


def _rows(
    source: LeadSource,
    columns: Mapping[str, str],
    times: Times | None,
    now: datetime,
    left_out: LeftOutRows,
    progress: Callable[[int, int], None],
) -> tuple[pl.DataFrame, int]:
    """Return the leads of the file, one row each, and how many rows name a lead again."""
    file, instants = TextFile(source.path, columns, REMEDY, source.encoding), Instants(source.zone, now.year, source.dates)
    header = header_in(source.path, encoding=source.encoding, wanted=tuple(columns.values()))
    more = times.places_in(header) if times else set()
    frames = []
    for frame in file.blocks(left_out, times.take if times else no_block, more, progress):
        if "created" in frame.columns:
            frame = with_times(frame, "created", instants, column=columns["created"], file=source.path.name, left_out=left_out)
        frames.append(frame)
    rows = pl.concat(frames) if frames else _no_rows(columns)
    if times:
        told = times.told()
        left_out.add("unreadable time", source.path.name, [(bad.line, bad.reason) for bad in told.bad])
        rows = rows.join(told.times.with_columns(pl.col("line").cast(pl.Int64)), on="line", how="left", maintain_order="left")
    nameless = rows.filter(pl.col("source_id") == "")
    left_out.add_frame("row without an id", source.path.name, nameless, lambda row: f"{columns['source_id']}: is empty")
    return _once(rows.filter(pl.col("source_id") != ""))


def _no_rows(columns: Mapping[str, str]) -> pl.DataFrame:
    times: dict[str, Any] = {"created": INSTANT, "created_day": pl.Boolean} if "created" in columns else {}
    return pl.DataFrame(schema={"line": pl.Int64, **dict.fromkeys(columns, pl.String), **times})


def _once(rows: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Fold the rows of one lead: the earliest of each time, else the last value that is not empty."""
    if not rows["source_id"].is_duplicated().any():
        return rows, 0
    folds = [_fold(name, kind) for name, kind in rows.schema.items() if name != "source_id"]
    once = rows.group_by("source_id", maintain_order=True).agg(folds)
    return once.select(rows.columns), rows.height - once.height


def _fold(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if name == "line":
        return column.first()
    if name in STAGES:
        return column.any()
    if kind == pl.String:
        return column.filter(column != "").last().fill_null("")
    if name.endswith("_day"):
        return column.sort_by(name.removesuffix("_day"), nulls_last=True).first()
    return column.min()


def _other_file(
    plan: OutcomePlan,
    columns: Mapping[str, str],
    source: LeadSource,
    now: datetime,
    left_out: LeftOutRows,
    progress: Callable[[int, int], None],
) -> tuple[ToldTimes, pl.DataFrame]:
    """Return the times in the file with the outcomes, and these texts by lead."""
    times = Times(plan, zone_of(plan.timezone) if plan.timezone else source.zone, now)
    named = {"source_id": plan.id_column, **columns}
    header = header_in(plan.path, encoding=plan.encoding, wanted=tuple(named.values()))
    frames = list(TextFile(plan.path, named, REMEDY, plan.encoding).blocks(left_out, times.take, times.places_in(header), progress))
    told = times.told()
    left_out.add("unreadable time", plan.path.name, [(bad.line, bad.reason) for bad in told.bad])
    texts = pl.concat(frames) if frames else pl.DataFrame(schema=dict.fromkeys(("source_id", *columns), pl.String))
    return told, _once(texts.filter(pl.col("source_id") != ""))[0].select("source_id", *columns)


def _joined(
    rows: pl.DataFrame, told: ToldTimes, texts: pl.DataFrame, plan: OutcomePlan, left_out: LeftOutRows
) -> tuple[pl.DataFrame, int, int]:
    """Return the leads with their outcomes, how many leads the outcomes name, and how many of these are known."""
    times = by_lead(told)
    strangers = times.filter(~pl.col("source_id").is_in(rows["source_id"].implode())).rename({"outcome_line": "line"})
    left_out.add_frame(
        "outcome of a lead that is not in the file",
        plan.path.name,
        strangers,
        lambda row: f"{plan.id_column}: {row['source_id'][:40]} is in no row of the leads",
    )
    joined = rows.join(times, on="source_id", how="left", maintain_order="left").join(
        texts, on="source_id", how="left", maintain_order="left"
    )
    return joined, times.height, times.height - strangers.height


def _whole(rows: pl.DataFrame, source: LeadSource, columns: Mapping[str, str], left_out: LeftOutRows) -> pl.DataFrame:
    """Return the rows with every column that an audit asks for; a missing one is null."""
    if "amount" in rows.columns:
        sign = source.mapping.decimal_sign if source.mapping else "."
        rows = rows.with_columns(pl.col("amount").fill_null(""))
        rows = with_amounts(rows, "amount", sign=sign, column=columns["amount"], file=source.path.name, left_out=left_out)
    empty: dict[str, pl.DataType | type[pl.DataType]] = dict.fromkeys(("source", "owner", "status", "reason", "tier"), pl.String)
    empty |= {"amount": pl.Float64, "outcome_line": pl.Int64}
    for name in ("created", *TIMES):
        empty |= {name: INSTANT, f"{name}_day": pl.Boolean}
    missing = [pl.lit(None, kind).alias(name) for name, kind in empty.items() if name not in rows.columns]
    rows = rows.with_columns(missing)
    rows = rows.with_columns((pl.col(name).fill_null(False) if name in rows.columns else pl.lit(False)).alias(name) for name in STAGES)
    texts = [name for name in ("source", "owner", "reason", "tier") if rows.schema[name] == pl.String]
    rows = rows.with_columns(pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in texts)
    values = source.mapping.values.get("entry_channel", {}) if source.mapping and not source.audit.source else {}
    if values:
        named = {cell: str(value) for cell, value in values.items() if value is not None}
        rows = rows.with_columns(pl.col("source").fill_null("").replace(named))
        rows = rows.with_columns(pl.when(pl.col("source") != "").then("source").alias("source"))
    return rows


def _meant(leads: pl.DataFrame, source: LeadSource) -> tuple[pl.DataFrame, Mapping[str, int]]:
    """Return the leads with the meaning of each status, and the statuses without one."""
    if leads["status"].null_count() == leads.height:
        return leads, {}
    texts = leads["status"].fill_null("")
    meant = meaning_of(texts, source.statuses)
    counted = texts.filter(meant.is_null()).value_counts(sort=True)
    return leads.with_columns(meant.replace({"": None}).alias("status")), dict(counted.iter_rows())
