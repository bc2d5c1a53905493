"""Reads times as files write them, many side by side. Any text that is not plainly a time is left to the reader of single rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from agreements.backtest.columns import INSTANT
from app.csv_import.file import YEARS_AHEAD, YEARS_BACK

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET = r" ?(?:Z|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)"
_LOCAL = f"^{_DAY}(?:{_CLOCK})?$"
_WITH_OFFSET = f"^({_DAY}{_CLOCK})({_OFFSET})$"
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class Instants:
    """Reads columns of times without a zone as local times of this zone. year: the present one; dates near it are likely."""

    zone: ZoneInfo
    year: int
    _offsets: dict[datetime, int | None] = field(default_factory=dict)

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Return `at`: the instant; `day`: whether only a day was written; `odd`: whether only the reader of single rows can tell.

        An empty text is no time, and not odd. A day without a time is 09:00.
        """
        frame = texts.to_frame("text").with_columns(
            local=pl.col("text").str.contains(_LOCAL), offset=pl.lit(None, pl.Int64), written=pl.col("text")
        )
        if not (frame["local"] | (frame["text"] == "")).all():
            frame = frame.with_columns(written=_written(), offset=_offset())
        frame = frame.with_columns(clock=_clock(pl.col("written")))
        frame = frame.with_columns(offset=pl.coalesce("offset", self._local_offsets(frame)))
        likely = pl.col("clock").dt.year().is_between(self.year - YEARS_BACK, self.year + YEARS_AHEAD)
        at = pl.when(likely).then((pl.col("clock") - pl.duration(microseconds="offset")).dt.replace_time_zone("UTC"))
        return frame.select(
            at=at.cast(INSTANT),
            day=pl.col("local") & (pl.col("text").str.len_bytes() == 10),
            odd=(pl.col("text") != "") & at.is_null(),
        )

    def _local_offsets(self, frame: pl.DataFrame) -> pl.Series:
        """Return how far local time is ahead of UTC in each row's hour, in microseconds; null for an hour in which that changes."""
        hours = frame.select(pl.when(pl.col("offset").is_null()).then(pl.col("clock").dt.truncate("1h")))["clock"]
        new = [hour for hour in hours.unique().drop_nulls() if hour not in self._offsets]
        self._offsets.update({hour: self._offset_in(hour) for hour in new})
        known = pl.DataFrame({"clock": list(self._offsets), "ahead": list(self._offsets.values())}, schema=_SCHEMA)
        return hours.to_frame().join(known, on="clock", how="left", maintain_order="left")["ahead"]

    def _offset_in(self, hour: datetime) -> int | None:
        """Return the offset in microseconds, None for an hour in which clocks change: it is skipped, repeated, or only partly there."""
        moments = (hour, hour + _HOUR - timedelta(microseconds=1))
        found = {moment.replace(tzinfo=self.zone, fold=fold).utcoffset() for moment in moments for fold in (0, 1)}
        offset = found.pop()
        return None if found or offset is None else offset // timedelta(microseconds=1)


_SCHEMA: dict[str, Any] = {"clock": pl.Datetime("us"), "ahead": pl.Int64}


def is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    """Return whether this instant begins a day there: many files write a day without a time so."""
    return at.astimezone(zone).time() == time.min


def _written() -> pl.Expr:
    """Return the time without its offset."""
    text = pl.col("text")
    return pl.when("local").then(text).otherwise(text.str.extract(_WITH_OFFSET, 1))


def _offset() -> pl.Expr:
    """Return the written offset, in microseconds."""
    told = pl.when(~pl.col("local")).then(pl.col("text").str.extract(_WITH_OFFSET, 2).str.replace_all("[ :Z]", ""))
    minutes = told.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + told.str.slice(3, 2).cast(pl.Int64, strict=False).fill_null(0)
    signed = pl.when(told.str.starts_with("-")).then(-minutes).otherwise(minutes)
    return pl.when(told == "").then(0).otherwise(signed * 60_000_000)


def _clock(written: pl.Expr) -> pl.Expr:
    """Return the local date and time, null where there is no such day."""
    length = written.str.len_bytes()
    clock = written.str.slice(11)
    padded = (
        pl.when(length == 10)
        .then(pl.lit("09:00:00.000000"))
        .when(length == 16)
        .then(clock + ":00.000000")
        .when(length == 19)
        .then(clock + ".000000")
        .otherwise(clock.str.pad_end(15, "0"))
    )
    return (written.str.slice(0, 10) + " " + padded).str.strptime(pl.Datetime("us"), "%Y-%m-%d %H:%M:%S%.6f", strict=False)
