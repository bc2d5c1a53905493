"""Finds rows that are in a file twice, or that give one id to two people."""

from __future__ import annotations

import polars as pl

from app.csv_import.file import BadRow, other_person, stands_already

WHO = ("source", "source_id")


def twins(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, list[BadRow]]:
    """Return the rows that are in the file once, and the others as bad rows. rows: in the order of the file. column: holds the id.

    The first of several rows with the same conversion counts, and so does the first e-mail address of an id.
    """
    several = rows.select(pl.struct(WHO).is_duplicated().alias("several"))["several"]
    if not several.any():
        return rows, []
    doubted = rows.filter(several).select("line", *WHO, _conversion().alias("conversion"), _person().alias("person"))
    doubted = doubted.with_columns(first=pl.col("line").first().over(*WHO, "conversion"))
    bad = [BadRow(line, stands_already(column, first)) for line, first in _pairs(doubted.filter(pl.col("first") != pl.col("line")))]
    known = doubted.filter(pl.col("first") == pl.col("line"), pl.col("person").is_not_null())
    known = known.with_columns(first=pl.col("line").first().over(*WHO), known=pl.col("person").first().over(*WHO))
    others = known.filter(pl.col("known") != pl.col("person"))
    bad += [BadRow(line, other_person(column, first)) for line, first in _pairs(others)]
    return rows.filter(~pl.col("line").is_in([one.line for one in bad])) if bad else rows, bad


def _pairs(rows: pl.DataFrame) -> list[tuple[int, int]]:
    return rows.select("line", "first").rows()


def _conversion() -> pl.Expr:
    """Return what `IncomingLead.key_of_conversion` returns."""
    at = pl.col("at")
    fraction = at.dt.microsecond()
    text = at.dt.strftime("%Y-%m-%dT%H:%M:%S") + pl.when(fraction > 0).then(at.dt.strftime("%.6f")).otherwise(pl.lit("")) + "+00:00"
    return (
        pl.when(pl.col("conversion_id") != "")
        .then("conversion_id")
        .otherwise(pl.concat_str("activity", pl.lit("@"), text.fill_null("unknown")))
    )


def _person() -> pl.Expr:
    """Return what `mail_key` returns, null for no address."""
    whole = pl.col("email").str.to_lowercase()
    name, domain = whole.str.extract("^([^@]*)@", 1), whole.str.extract("@(.*)$", 1)
    plain = name.str.extract(r"^([^+]+)", 1)
    key = pl.coalesce(plain, name) + "@" + domain
    return pl.when(domain.str.len_bytes() > 0).then(pl.when(name.str.starts_with("+")).then(name + "@" + domain).otherwise(key))
