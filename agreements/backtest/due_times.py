"""Due times and working time for a million starts at once: the same results as `Term.after` and `WorkingCalendar.between`.

The calendar says once which stretches are open. polars then finds each start among these stretches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import polars as pl

from agreements.backtest.columns import INSTANT
from agreements.calendar.durations import Duration, Term
from agreements.calendar.working_time import HORIZON, WorkingCalendar

_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How far behind the last start a search begins. It goes on, twice as far each time, up to HORIZON.
_FIRST_LOOK = timedelta(days=40)


def due_times(term: Term, starts: pl.Series, calendar: WorkingCalendar) -> pl.Series:
    """Return when this term has passed since each start; null for a null start.

    starts: INSTANT. The result equals `term.after(start, calendar)`. For working days it may differ by a microsecond. Null also
    where the calendar stays closed for HORIZON.
    """
    if isinstance(term, Duration) and not term.working:
        return starts + term.length
    ends = [at for at in (starts.min(), starts.max()) if isinstance(at, datetime)]
    if not ends:
        return starts
    look = _FIRST_LOOK
    while True:
        found = _due(term, starts.cast(pl.Int64), _OpenTime.of(calendar, ends[0], min(ends[1] + look, datetime.max.replace(tzinfo=UTC))))
        if look >= HORIZON or found.null_count() == starts.null_count():
            return found.cast(INSTANT)
        look = min(2 * look, HORIZON)


def working_between(starts: pl.Series, ends: pl.Series, calendar: WorkingCalendar) -> pl.Series:
    """Return the working time from each start to its end in microseconds; null where one is null, 0 where the end is not later."""
    known = [at for at in (starts.min(), ends.max()) if isinstance(at, datetime)]
    if len(known) < 2 or known[1] <= known[0]:
        return (ends - starts).dt.total_microseconds() * 0
    open_time = _OpenTime.of(calendar, known[0], known[1])
    return (open_time.until(ends.cast(pl.Int64)) - open_time.until(starts.cast(pl.Int64))).clip(0)


@dataclass(frozen=True, slots=True)
class _OpenTime:
    """The open stretches of a calendar in order, in microseconds since 1970.

    opens, closes: of each stretch; before: the open time of all stretches before it. day_ends: the last closing of each working
    day; day_before: the open time before it; day_length: its open time.
    """

    opens: pl.Series
    closes: pl.Series
    before: pl.Series
    day_ends: pl.Series
    day_before: pl.Series
    day_length: pl.Series

    @classmethod
    def of(cls, calendar: WorkingCalendar, first: datetime, last: datetime) -> _OpenTime:
        """Return the stretches of each day that ends after first, up to the local day of last."""
        opens, closes, before, ends, days, lengths, total = [], [], [], [], [], [], 0
        for spans in calendar.open_days(first, last):
            days.append(total)
            for opening, closing in spans:
                opens.append((opening - _EPOCH) // _MICROSECOND)
                closes.append((closing - _EPOCH) // _MICROSECOND)
                before.append(total)
                total += closes[-1] - opens[-1]
            ends.append(closes[-1])
            lengths.append(total - days[-1])
        return cls(*(pl.Series(values, dtype=pl.Int64) for values in (opens, closes, before, ends, days, lengths)))

    def until(self, at: pl.Series) -> pl.Series:
        """Return the open time before each instant."""
        place = _place(self.opens, at, "right").cast(pl.Int64) - 1
        inside = pl.min_horizontal(pl.col("at"), pl.col("closes")) - pl.col("opens") + pl.col("before")
        frame = _gathered(place, at=at, opens=self.opens, closes=self.closes, before=self.before)
        return frame.select(found=pl.when(pl.col("at").is_not_null()).then(inside.fill_null(0)))["found"]

    def at(self, open_time: pl.Series) -> pl.Series:
        """Return the instant before which this much open time lies, above 0; null behind the last stretch."""
        ends = self.before + (self.closes - self.opens)
        frame = _gathered(_place(ends, open_time, "left"), wanted=open_time, opens=self.opens, before=self.before)
        return frame.select(found=pl.col("opens") + pl.col("wanted") - pl.col("before"))["found"]

    def next_opening(self, at: pl.Series) -> pl.Series:
        """Return the instant itself while open, else the next opening."""
        frame = _gathered(_place(self.closes, at, "right"), at=at, opens=self.opens)
        known = pl.col("at").is_not_null() & pl.col("opens").is_not_null()
        return frame.select(found=pl.when(known).then(pl.max_horizontal("at", "opens")))["found"]


def _place(sorted_values: pl.Series, wanted: pl.Series, side: str) -> pl.Series:
    """Return where each value belongs; null for null."""
    found = sorted_values.search_sorted(wanted.fill_null(0), "left" if side == "left" else "right")
    return found.zip_with(wanted.is_not_null(), pl.repeat(None, len(wanted), dtype=found.dtype, eager=True))


def _gathered(place: pl.Series, **columns: pl.Series) -> pl.DataFrame:
    """Return the columns side by side: those as long as place as they are, the tables gathered at place; null outside a table."""
    first, *tables = columns
    made = {first: columns[first]}
    for name in tables:
        table = columns[name]
        inside = (place >= 0) & (place < len(table))
        made[name] = table.gather(place.zip_with(inside.fill_null(False), pl.repeat(None, len(place), dtype=place.dtype, eager=True)))
    return pl.DataFrame(made)


def _due(term: Term, starts: pl.Series, open_time: _OpenTime) -> pl.Series:
    if not isinstance(term, Duration):
        days = open_time.day_ends
        return _gathered(_place(days, starts, "right"), starts=starts, ends=days)["ends"]
    if not term.amount:
        return open_time.next_opening(starts)
    if term.unit == "days":
        return _days_later(Fraction(term.amount), starts, open_time)
    return open_time.at(open_time.until(starts) + term.length // _MICROSECOND)


def _days_later(amount: Fraction, starts: pl.Series, open_time: _OpenTime) -> pl.Series:
    """Return the same share of open time on the nth following open day."""
    whole, rest = amount // 1, float(amount % 1)
    day = _place(open_time.day_ends, starts, "right")
    here = _gathered(day, passed=open_time.until(starts), before=open_time.day_before, length=open_time.day_length)
    share = here.select(found=(pl.col("passed") - pl.col("before")).clip(0) / pl.col("length") + rest)["found"]
    more, share = (share > 1), share - (share > 1).cast(pl.Float64)
    at_end = share <= 0
    target = day.cast(pl.Int64) + int(whole) + more.cast(pl.Int64) - at_end.cast(pl.Int64)
    there = _gathered(target, share=share + at_end.cast(pl.Float64), before=open_time.day_before, length=open_time.day_length)
    inside = (pl.col("share") * pl.col("length") - 0.001).ceil().cast(pl.Int64)
    return open_time.at(there.select(found=pl.col("before") + inside)["found"])
