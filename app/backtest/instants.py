"""Reads times as files write them, many side by side: `instant` reads each hour once, and polars adds the minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from agreements.backtest.columns import INSTANT
from app.csv_import.cells import instant, is_day
from app.csv_import.dates import ISO, Dates

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[T ][0-9]{2}:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_LOCAL = f"^{_DAY}(?:{_CLOCK})?$"
_WITH_OFFSET = f"^({_DAY}{_CLOCK})( ?(?:Z|[+-][0-9:]+))$"
_HOUR, _INSTANT = timedelta(hours=1), timedelta(microseconds=1)


@dataclass(slots=True)
class Instants:
    """Reads columns of times without a zone as local times of this zone. year: the present one; dates near it are likely. dates: how
    they are written."""

    zone: ZoneInfo
    year: int
    dates: Dates = Dates()
    _starts: dict[str, datetime | None] = field(default_factory=dict)

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """Return `at`: the instant; `day`: whether only a day was written; `odd`: whether `instant` has to read the text itself.

        An empty text is no time, and not odd.
        """
        texts = texts if self.dates.form == ISO else self._as_iso(texts)
        frame = texts.alias("text").to_frame().with_columns(written=pl.col("text"), offset=pl.lit(""))
        if not ((texts == "") | texts.str.contains(_LOCAL)).all():
            frame = frame.with_columns(written=_part(1), offset=_part(2).fill_null(""))
        written = pl.col("written")
        day = written.str.len_bytes() == len("2027-01-15")
        hour = pl.when(day).then(written).when(written != "").then(written.str.slice(0, 13) + ":00" + pl.col("offset"))
        frame = frame.with_columns(hour=hour, day=day.fill_null(False))
        at = self._started(frame["hour"]).alias("at") + frame.select(past=_past_the_hour(written))["past"]
        return frame.select(at.cast(INSTANT), "day", odd=(pl.col("text") != "") & at.is_null())

    def _as_iso(self, texts: pl.Series) -> pl.Series:
        """Return the texts as ISO 8601 writes them; those that are no dates become odd."""
        known = texts.unique().drop_nulls().to_list()
        return texts.replace_strict(known, [self._iso(text) for text in known], default="", return_dtype=pl.String)

    def _iso(self, text: str) -> str:
        try:
            return self.dates.iso(text) if text else ""
        except ValueError:
            return "?"

    def _started(self, hours: pl.Series) -> pl.Series:
        """Return the instants at which these hours and days begin, null for those with which polars cannot go on."""
        new = [hour for hour in hours.unique().drop_nulls() if hour not in self._starts]
        self._starts.update({hour: self._start(hour) for hour in new})
        known = pl.DataFrame({"hour": list(self._starts), "start": list(self._starts.values())}, schema=_SCHEMA)
        return hours.to_frame("hour").join(known, on="hour", how="left", maintain_order="left")["start"]

    def _start(self, hour: str) -> datetime | None:
        """Return when this hour or day begins; None for no such time, and for an hour in which the clocks change."""
        try:
            start = instant(hour, self.zone, self.year)
            if is_day(hour):
                return start
            last = instant(f"{hour[:13]}:59:59.999999{hour[16:]}", self.zone, self.year)
        except ValueError:
            return None
        return start if last - start == _HOUR - _INSTANT else None


_SCHEMA: dict[str, Any] = {"hour": pl.String, "start": INSTANT}


def is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    """Return whether this instant begins a day there: many files write a day without a time so."""
    return at.astimezone(zone).time() == time.min


def _part(number: int) -> pl.Expr:
    """Return the time without its offset (1), or the offset (2); null for what is no time."""
    text = pl.col("text")
    local = pl.when((text == "") | text.str.contains(_LOCAL)).then(text if number == 1 else pl.lit(""))
    return pl.coalesce(local, text.str.extract(_WITH_OFFSET, number))


def _past_the_hour(written: pl.Expr) -> pl.Expr:
    """Return how long after the full hour a time is; nothing for a day."""
    minutes, seconds, fraction = written.str.slice(14, 2), written.str.slice(17, 2), written.str.slice(20)
    parts = [part.cast(pl.Int64, strict=False).fill_null(0) for part in (minutes, seconds, fraction.str.pad_end(6, "0"))]
    return pl.duration(minutes=parts[0], seconds=parts[1], microseconds=parts[2])
