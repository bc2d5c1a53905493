"""What each promise of an agreement would have been worth: for each lead, whether it was kept, broken, still open, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import polars as pl

from agreements.backtest.columns import INSTANT
from agreements.backtest.due_times import due_times
from agreements.clauses.clocks import Clock, OwedBy
from agreements.clocks import calendar_for
from agreements.model import Agreement
from agreements.words import ClockName
from app.audit.record import GIVEN_UP, Record

Promise = Literal["delivery", "acceptance", "first_attempt", "outcome", "touches", "reason", "note", "decision"]
#: What an export never holds, and so what an audit cannot judge.
_NEVER: tuple[tuple[ClockName, Promise], ...] = (("note", "note"), ("decision", "decision"))


@dataclass(frozen=True, slots=True)
class Judged:
    """One promise over all leads. owed_by: who made it; words: what it asks for.

    verdict: "kept", "broken", "open", "unknown", or null where nothing was promised for the lead. not_in_file: why nothing can
    be judged, empty where it can.
    """

    promise: Promise
    owed_by: OwedBy
    words: str
    verdict: pl.Series
    not_in_file: str = ""


def judge_promises(agreement: Agreement, record: Record, *, as_of: datetime | None, unreachable: tuple[str, ...]) -> list[Judged]:
    """Judge each promise for each lead. as_of: the newest time in the files. unreachable: reasons that say nobody was reached."""
    of = _Promises(agreement, record, as_of)
    return [
        *of.delivery(),
        *of.acceptance(),
        *of.first_attempt(),
        *of.outcome(),
        *of.touches(unreachable),
        *of.reason(),
        *of.never(),
    ]


class _Promises:
    """The promises of one agreement to these leads."""

    def __init__(self, agreement: Agreement, record: Record, as_of: datetime | None) -> None:
        self.agreement, self.record, self.as_of, self.leads = agreement, record, as_of, record.leads

    def delivery(self) -> Iterator[Judged]:
        """Marketing gives the lead to a rep in time."""
        clock = self.agreement.clock("delivery")
        if "assigned_at" not in self.record.told:
            yield self._missing("delivery", clock, "no column says when a lead was given to a rep (assigned_at)")
            return
        yield self._clock("delivery", clock, start="created", done="assigned_at")

    def acceptance(self) -> Iterator[Judged]:
        """The rep accepts, rejects, or starts to work on the lead."""
        clock = self.agreement.clock("acceptance")
        if not (self.record.tells_touches or self.record.tells_changes):
            yield self._missing("acceptance", clock, "no file says when sales answered")
            return
        handled = pl.col("answer").is_null() & ((pl.col("fate") != "new") | pl.col("contacted"))
        yield self._clock("acceptance", clock, start="start", done="answer", unknown=handled)

    def first_attempt(self) -> Iterator[Judged]:
        """The rep tries to reach the lead. A rejected lead needs no attempt; a won one had an attempt that nobody logged."""
        clock = self.agreement.clock("first_attempt")
        if not self.record.tells_touches:
            yield self._missing("first_attempt", clock, "there is no file of activities, and no column says when a lead was contacted")
            return
        untouched = pl.col("touch").is_null()
        yield self._clock(
            "first_attempt",
            clock,
            start="start",
            done="touch",
            unknown=untouched & (pl.col("contacted") | pl.col("fate").is_in(["won", "opportunity"])),
            spared=untouched & ~pl.col("contacted") & (pl.col("fate") == "rejected"),
        )

    def outcome(self) -> Iterator[Judged]:
        """After the first touch the rep says what came of it."""
        clock = self.agreement.clock("outcome")
        if not self.record.tells_touches or not self.record.tells_ends:
            yield self._missing("outcome", clock, "no file says both when a lead was touched and when it ended")
            return
        no_time = pl.col("ended").is_null() & ~pl.col("fate").is_in(["new", "accepted"])
        # A deal that is won or lost late began at a time that the files do not tell.
        deal = pl.min_horizontal("opportunity_change", "rejected_change", "recycled_change").is_null()
        yield self._clock(
            "outcome", clock, start="touch", done="ended", unknown=no_time, spared=pl.col("touch").is_null(), late_is_unknown=deal
        )

    def touches(self, unreachable: tuple[str, ...]) -> Iterator[Judged]:
        """Sales gives up a lead that it could not reach only after the agreed touches.

        Where no column holds the reason, nobody knows which leads were not reached.
        """
        wanted = self.agreement.clock("outcome").touches.at_least
        if not wanted:
            return
        words = f"{wanted} touches before a lead is given up as not reached"
        if not self.record.tells_touches:
            yield Judged("touches", "sales", words, self._nothing(), "there is no file of activities")
            return
        named = [cell.casefold() for cell in (*unreachable, *self._reasons_for_silence())]
        silent = pl.col("reason").is_null() | pl.col("reason").str.to_lowercase().is_in(named)
        asked = pl.col("fate").is_in(GIVEN_UP) & silent
        fewer = pl.lit("broken" if "reason" in self.record.told else "unknown")
        verdict = pl.when(asked).then(pl.when(pl.col("touches") >= wanted).then(pl.lit("kept")).otherwise(fewer))
        yield Judged("touches", "sales", words, self.leads.select(verdict=verdict)["verdict"])

    def _reasons_for_silence(self) -> list[str]:
        return [text for one in self.agreement.reasons if one.needs == "touches" for text in (one.code, one.words)]

    def reason(self) -> Iterator[Judged]:
        """Sales says why it gives a lead up."""
        words = "a reason with each lead that is given up"
        if "reason" not in self.record.told:
            yield Judged("reason", "sales", words, self._nothing(), "no column holds the reason; name it under `audit` in the map")
            return
        given = pl.when(pl.col("reason").is_not_null()).then(pl.lit("kept")).otherwise(pl.lit("broken"))
        verdict = pl.when(pl.col("fate").is_in(GIVEN_UP)).then(given)
        yield Judged("reason", "sales", words, self.leads.select(verdict=verdict)["verdict"])

    def never(self) -> Iterator[Judged]:
        """Notes and decisions: no export holds them."""
        for clock, promise in _NEVER:
            yield self._missing(promise, self.agreement.clock(clock), "exports do not hold this; Baton records it once it runs")

    def _missing(self, promise: Promise, clock: Clock, why: str) -> Judged:
        return Judged(promise, clock.owed_by, _words(clock), self._nothing(), why)

    def _nothing(self) -> pl.Series:
        return pl.repeat(None, self.leads.height, dtype=pl.String, eager=True)

    def _clock(
        self,
        promise: ClockName,
        clock: Clock,
        *,
        start: str,
        done: str,
        unknown: pl.Expr | None = None,
        spared: pl.Expr | None = None,
        late_is_unknown: pl.Expr | None = None,
    ) -> Judged:
        """Judge a clock. unknown, spared: for which leads nobody knows, and to which nothing was promised. late_is_unknown: for
        which leads a late time says nothing.

        A day without a time may be any time of that day. The verdict is unknown where this decides.
        """
        earliest, latest = self._ends_of_day(start, f"{start}_day")
        done_from, done_until = self._ends_of_day(done, f"{done}_day")
        due_from = self.due(clock, earliest, done)
        due_until = due_from if earliest.equals(latest, null_equal=True) else self.due(clock, latest, done)
        frame = self.leads.with_columns(due_from=due_from, due_until=due_until, done_from=done_from, done_until=done_until)
        over, never = pl.col("due_until") <= pl.lit(self.as_of, INSTANT), pl.lit(False)
        verdict = (
            pl.when(spared if spared is not None else never)
            .then(None)
            .when(pl.col("due_until").is_null() | (unknown if unknown is not None else never))
            .then(pl.lit("unknown"))
            .when(pl.col("done_from").is_null())
            .then(pl.when(over).then(pl.lit("broken")).otherwise(pl.lit("open")))
            .when(pl.col("done_until") <= pl.col("due_from"))
            .then(pl.lit("kept"))
            .when((pl.col("done_from") > pl.col("due_until")) & ~(late_is_unknown if late_is_unknown is not None else never))
            .then(pl.lit("broken"))
            .otherwise(pl.lit("unknown"))
        )
        return Judged(promise, clock.owed_by, _words(clock), frame.select(verdict=verdict)["verdict"])

    def _ends_of_day(self, name: str, day: str) -> tuple[pl.Series, pl.Series]:
        """Return the first and the last instant that a time may be: itself, or both ends of a day without a time."""
        at = self.leads[name]
        if not (self.leads[day].fill_null(False) & at.is_not_null()).any():
            return at, at
        zone = self.record.zone.key
        begins = pl.col(name).dt.convert_time_zone(zone).dt.truncate("1d")
        last = begins.dt.offset_by("1d") - timedelta(microseconds=1)
        is_day = pl.col(day).fill_null(False)
        ends = [pl.when(is_day).then(one.dt.convert_time_zone("UTC")).otherwise(name) for one in (begins, last)]
        found = self.leads.select(ends[0].alias("first"), ends[1].alias("last"))
        return found["first"], found["last"]

    def due(self, clock: Clock, starts: pl.Series, done: str) -> pl.Series:
        """Return when this clock ran out for each lead, by its tier. The first attempt has its least time from the acceptance."""
        calendar = calendar_for(clock, self.agreement)
        due: pl.Series = pl.repeat(None, self.leads.height, dtype=INSTANT, eager=True)
        nothing = due
        for tier in self.leads["tier"].unique().to_list():
            here = self.leads["tier"] == tier
            due = due_times(clock.term(tier), starts.zip_with(here, nothing), calendar).zip_with(here, due)
        if clock.at_least and done == "touch":
            least = due_times(clock.at_least, self.leads["accepted_change"], calendar)
            due = pl.select(due=pl.max_horizontal(due, least))["due"].zip_with(due.is_not_null(), due)
        return due


def _words(clock: Clock) -> str:
    return ", ".join(f"{tier}: {term}" if len(clock.within) > 1 else str(term) for tier, term in clock.within.items())
