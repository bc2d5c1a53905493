"""Finds rows that are in a file twice, and ids that several people have. polars finds the ids in doubt, `Twins` decides."""

from __future__ import annotations

import polars as pl

from agreements.identity import Who
from agreements.lead import conversion_key
from app.csv_import.row_judge import BadRow, Twins

WHO = ("source", "source_id")
NAMES = ("first_name", "last_name")


def without_twins(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, list[BadRow]]:
    """Return the rows that are in the file once, and the others as bad rows. rows: in the order of the file. column: holds the id.

    `person` in the rows tells people apart whom a source gave one id, from 0.
    """
    rows = rows.with_columns(person=pl.lit(0, pl.UInt32))
    several = rows.select(pl.struct(WHO).is_duplicated().alias("several"))["several"]
    if not several.any():
        return rows, []
    names = [pl.col(name) if name in rows.columns else pl.lit("").alias(name) for name in NAMES]
    asked = rows.filter(several).select("line", *WHO, "conversion_id", "activity", "at", "email", *names)
    twins, bad, others = Twins(column), [], {}
    for line, source, source_id, conversion_id, activity, at, *who in asked.filter(_is_in_doubt().over(WHO)).iter_rows():
        person, problem = twins.judge((source, source_id), Who(*who), conversion_key(conversion_id, activity, at), line)
        if problem:
            bad.append(BadRow(line, problem))
        elif person:
            others[line] = person
    if others:
        rows = rows.with_columns(person=pl.col("line").replace_strict(others, default=0, return_dtype=pl.UInt32))
    return rows.filter(~pl.col("line").is_in([one.line for one in bad])) if bad else rows, bad


def _is_in_doubt() -> pl.Expr:
    """Whether rows of one id may be twins: no two of them are if all conversions differ and all say the same address and name.

    A conversion id with an @ may be written like an activity and its time.
    """
    by_time = pl.col("conversion_id") == ""
    conversion = pl.struct("conversion_id", pl.when(by_time).then("activity"), pl.when(by_time).then("at"))
    several = [pl.col(name).n_unique() > 1 for name in ("email", *NAMES)]
    twice = (conversion.n_unique() < pl.len()) | pl.col("conversion_id").str.contains("@", literal=True).any()
    return twice | pl.any_horizontal(*several)
