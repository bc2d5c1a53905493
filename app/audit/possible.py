"""Finds the times of a lead that cannot be: those in the future, and those before the lead was created."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from app.audit.lead_source import TIMES, LeadSource
from app.audit.left_out import LeftOutRows, Wrong
from app.backtest.outcomes import OutcomePlan


def possible(leads: pl.DataFrame, source: LeadSource, plan: OutcomePlan | None, now: datetime, left_out: LeftOutRows) -> pl.DataFrame:
    """Return the leads without the times that cannot be: those in the future, and those before the lead was created."""
    zone, leads = source.zone.key, leads.with_columns(doubtful=pl.lit(False))
    for name in ("created", *TIMES):
        day = (pl.col(f"{name}_day").fill_null(False) | _is_midnight(name, zone)) & pl.col(name).is_not_null()
        leads = leads.with_columns(day.alias(f"{name}_day"))
        wrong: tuple[tuple[Wrong, pl.Expr], ...] = (("time in the future", pl.col(name) > now),)
        if name in _BEFORE:
            wrong += ((_BEFORE[name], earlier(name, "created", zone)),)
        for what, condition in wrong:
            later = name != "created" and plan is not None
            place = plan.path if later and plan else source.path
            column = plan.columns.get(name, name) if later and plan else source.columns().get(name, name)
            bad = leads.filter(condition.fill_null(False))
            line = pl.coalesce("outcome_line", "line") if later else pl.col("line")
            left_out.add_frame(what, place.name, bad.with_columns(line=line), _sayer(name, column, source.zone))
            doubtful = pl.col("doubtful") | (condition.fill_null(False) & pl.lit(name in ("won_at", "lost_at")))
            leads = leads.with_columns(pl.when(~condition.fill_null(False)).then(name).alias(name), doubtful=doubtful)
    return leads


_BEFORE: Mapping[str, Wrong] = {
    "assigned_at": "assigned before the lead was created",
    "contacted_at": "touched before the lead was created",
    "won_at": "won before the lead was created",
    "lost_at": "lost before the lead was created",
}


def _sayer(name: str, column: str, zone: ZoneInfo) -> Callable[[dict[str, object]], str]:
    def say(row: dict[str, object]) -> str:
        at, created = row[name], row["created"]
        first = f", the lead was created on {created.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(created, datetime) else ""
        shown = f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if isinstance(at, datetime) else ""
        return f"{column}: {shown}{first if name != 'created' else ''} (lead {str(row['source_id'])[:40]})"

    return say


def _is_midnight(name: str, zone: str) -> pl.Expr:
    local = pl.col(name).dt.convert_time_zone(zone)
    return (local.dt.hour() == 0) & (local.dt.minute() == 0) & (local.dt.second() == 0)


def earlier(name: str, than: str, zone: str) -> pl.Expr:
    """Whether a time is before another. If one of them is a day without a time, only an earlier day is before."""
    dates = [pl.col(one).dt.convert_time_zone(zone).dt.date() for one in (name, than)]
    days = pl.col(f"{name}_day") | pl.col(f"{than}_day")
    return pl.when(days.fill_null(False)).then(dates[0] < dates[1]).otherwise(pl.col(name) < pl.col(than))
