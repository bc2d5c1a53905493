"""Finds rows that are in a file twice, or that give one id to two people. polars finds the ids in doubt, `Twins` decides."""

from __future__ import annotations

import polars as pl

from agreements.lead import conversion_key
from app.csv_import.row_judge import BadRow, Twins

WHO = ("source", "source_id")


def without_twins(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, list[BadRow]]:
    """Return the rows that are in the file once, and the others as bad rows. rows: in the order of the file. column: holds the id."""
    several = rows.select(pl.struct(WHO).is_duplicated().alias("several"))["several"]
    if not several.any():
        return rows, []
    asked = rows.filter(several).select("line", *WHO, "conversion_id", "activity", "at", "email")
    in_doubt = asked.filter(_is_in_doubt().over(WHO))
    twins = Twins(column)
    bad = [
        BadRow(line, problem)
        for line, source, source_id, conversion_id, activity, at, email in in_doubt.iter_rows()
        if (problem := twins.problem((source, source_id), conversion_key(conversion_id, activity, at), email, line))
    ]
    return rows.filter(~pl.col("line").is_in([one.line for one in bad])) if bad else rows, bad


def _is_in_doubt() -> pl.Expr:
    """Whether rows of one id may be twins: no two of them are if all conversions differ and there is one address at most.

    A conversion id with an @ may be written like an activity and its time.
    """
    by_time = pl.col("conversion_id") == ""
    conversion = pl.struct("conversion_id", pl.when(by_time).then("activity"), pl.when(by_time).then("at"))
    address = pl.col("email").filter(pl.col("email") != "")
    return (conversion.n_unique() < pl.len()) | (address.n_unique() > 1) | pl.col("conversion_id").str.contains("@", literal=True).any()
