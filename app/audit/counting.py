"""Counts what an audit reports: leads by what became of them, speed by tier, promises, sources, owners, days and money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from agreements.backtest.due_times import working_between
from agreements.clocks import calendar_for
from agreements.model import Agreement
from app.audit.promises import Judged, Promise
from app.audit.record import GIVEN_UP, Record
from app.audit.report import FEW, Attempts, Counted, Days, Group, Kept, Money, Speed, Spread, Won, amount
from app.backtest.past import BLANK

_SECOND = 1_000_000
#: So many groups are in the report at most, the largest first.
GROUPS = 200
MOST_TOUCHES = 6
#: Promises for which a won share says nothing: about leads that sales gave up, or about when a lead was won.
NOT_BY_WINS: tuple[Promise, ...] = ("touches", "reason", "outcome")


class Counts:
    """Counts over the leads of one record."""

    def __init__(self, record: Record) -> None:
        self.record, self.leads = record, record.leads

    def part(self, told: bool, condition: pl.Expr, of: pl.Expr | None = None) -> Counted | None:
        """Return how many leads meet the condition, of all or of some; None where the files do not tell."""
        if not told:
            return None
        leads = self.leads.filter(of.fill_null(False)) if of is not None else self.leads
        return Counted(count=_count(leads, condition), of=leads.height)

    def won(self, condition: pl.Expr | None = None) -> Won:
        """Return how many of these leads were won. A lead whose outcome cannot be is not among them."""
        return won_of(self.leads.filter(condition) if condition is not None else self.leads)

    def speeds(self, agreement: Agreement, first_attempt: Judged) -> Iterator[Speed]:
        """Yield the speed to the first touch: of all leads, then by tier in the order of the agreement."""
        if not self.record.tells_touches:
            return
        clock = agreement.clock("first_attempt")
        timed = ~pl.col("start_day") & ~pl.col("touch_day").fill_null(False) & (pl.col("touch") >= pl.col("start"))
        leads = self.leads.with_columns(verdict=first_attempt.verdict, timed=timed.fill_null(False))
        leads = leads.with_columns(
            elapsed=(pl.col("touch") - pl.col("start")).dt.total_microseconds(),
            working=working_between(leads["start"], leads["touch"], calendar_for(clock, agreement)),
        )
        tiers = leads["tier"].unique().to_list()
        order = [tier.name for tier in agreement.tiers if tier.name in tiers]
        order += sorted(name for name in tiers if name not in order)
        for tier in ["", *order] if len(order) > 1 else [""]:
            here = leads.filter(pl.col("tier") == tier) if tier else leads
            known = here.filter("timed")
            yield Speed(
                tier=tier,
                touched=Counted(count=_count(here, pl.col("touches") > 0), of=here.height),
                elapsed=_spread(known["elapsed"]),
                working=_spread(known["working"]),
                agreed=str(clock.term(tier)) if tier or len(order) == 1 else "",
                in_time=_in_time(here),
            )

    def kept(self, judged: Judged) -> Kept:
        """Return how often a promise was kept, and what became of the leads."""
        leads = self.leads.with_columns(verdict=judged.verdict)
        numbers = dict(leads["verdict"].drop_nulls().value_counts().iter_rows())
        kept, broken = (leads.filter(pl.col("verdict") == name) for name in ("kept", "broken"))
        if judged.promise in NOT_BY_WINS:
            kept = broken = leads.head(0)
        return Kept(
            promise=judged.promise,
            owed_by=judged.owed_by,
            words=judged.words,
            kept=numbers.get("kept", 0),
            broken=numbers.get("broken", 0),
            open=numbers.get("open", 0),
            unknown=numbers.get("unknown", 0),
            won_if_kept=won_of(kept),
            won_if_broken=won_of(broken),
            amount_if_kept=self._amount(kept) if kept.height else None,
            amount_if_broken=self._amount(broken) if broken.height else None,
            not_in_file=judged.not_in_file,
        )

    def groups(self, name: str, first_attempt: Judged) -> Iterator[Group]:
        """Yield the leads by this column, the largest group first. Small groups are one."""
        if not self.leads[name].count():
            return
        leads = self.leads.with_columns(verdict=first_attempt.verdict, value=pl.col(name).fill_null(BLANK))
        sizes = leads["value"].value_counts(sort=True).sort("count", "value", descending=[True, False])
        large = sizes.filter(pl.col("count") >= FEW).head(GROUPS)["value"]
        leads = leads.with_columns(value=pl.when(pl.col("value").is_in(large.implode())).then("value"))
        parts = {key[0]: part for key, part in leads.partition_by("value", as_dict=True).items()}
        for value in large.to_list():
            yield self._group(str(value), parts[value], 0)
        if None in parts:
            yield self._group("", parts[None], sizes.height - len(large))

    def _group(self, value: str, leads: pl.DataFrame, merged: int) -> Group:
        touches = self.record.tells_touches
        timed = leads.filter(~pl.col("start_day") & ~pl.col("touch_day").fill_null(False) & (pl.col("touch") >= pl.col("start")))
        waited = timed.select(waited=(pl.col("touch") - pl.col("start")).dt.total_microseconds())["waited"]
        return Group(
            value=value,
            leads=leads.height,
            untouched=Counted(count=_count(leads, pl.col("touches") == 0), of=leads.height) if touches else None,
            in_time=_in_time(leads) if touches else None,
            median_seconds=_spread(waited).median_seconds,
            won=won_of(leads),
            amount=self._amount(leads),
            merged=merged,
        )

    def attempts(self) -> Attempts | None:
        """Return how often sales tried before it gave a lead up."""
        if not self.record.tells_touches:
            return None
        tried = self.leads.filter(pl.col("fate").is_in(GIVEN_UP))["touches"]
        median = tried.median()
        numbers = [int((tried == number).sum()) for number in range(MOST_TOUCHES)] + [int((tried >= MOST_TOUCHES).sum())]
        return Attempts(leads=len(tried), median=float(median) if isinstance(median, int | float) else None, by_touches=tuple(numbers))

    def days_to_won(self) -> Days:
        """Return the days by the calendar from when a lead was created to its win."""
        zone = self.record.zone.key
        dates = [pl.col(name).dt.convert_time_zone(zone).dt.date() for name in ("won_at", "created")]
        won = self.leads.filter(pl.col("won_at").is_not_null() & pl.col("created").is_not_null())
        days = won.select(days=(dates[0] - dates[1]).dt.total_days())["days"]
        if not len(days):
            return Days(leads=0)
        first, middle, last = (float(days.quantile(part, "linear") or 0) for part in (0.25, 0.5, 0.75))
        in_order = days.sort()
        days_only = _count(won, pl.col("won_at_day"))
        return Days(leads=len(days), quartiles=(first, middle, last), shortest=in_order[0], longest=in_order[-1], days_only=days_only)

    def money(self, currency: str) -> Money | None:
        """Return the amounts of the won leads, None where no column holds amounts."""
        if "amount" not in self.record.told:
            return None
        won = self.leads.filter(pl.col("fate") == "won")
        amounts = won["amount"].drop_nulls()
        total = float(amounts.sum())
        known = Counted(count=len(amounts), of=won.height)
        return Money(currency=currency, known=known, won=round(total, 2), average=amount(total / len(amounts)) if len(amounts) else None)

    def _amount(self, leads: pl.DataFrame) -> float | None:
        return amount(float(leads.filter(pl.col("fate") == "won")["amount"].sum())) if "amount" in self.record.told else None


def won_of(leads: pl.DataFrame) -> Won:
    """Return how many of these leads were won. A lead whose outcome cannot be is not among them."""
    usable = leads.filter(~pl.col("doubtful"))
    return Won(leads=usable.height, won=_count(usable, pl.col("fate") == "won"))


def _count(leads: pl.DataFrame, condition: pl.Expr) -> int:
    return int(leads.select(condition.fill_null(False).sum()).item() or 0)


def _in_time(leads: pl.DataFrame) -> Counted:
    kept, broken = (_count(leads, pl.col("verdict") == name) for name in ("kept", "broken"))
    return Counted(count=kept, of=kept + broken)


def _spread(values: pl.Series) -> Spread:
    found: Sequence[float | None] = [values.quantile(part, "linear") for part in (0.5, 0.9)]
    middle, ninth = (None if one is None else round(one / _SECOND, 3) for one in found)
    return Spread(leads=len(values), median_seconds=middle, p90_seconds=ninth)
