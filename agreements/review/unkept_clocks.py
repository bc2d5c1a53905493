"""Clocks that nobody keeps: clearly less than half of the promises are kept by whoever owes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from agreements.calendar.durations import Duration
from agreements.clocks import calendar_for
from agreements.model import Agreement, Clock
from agreements.review.chance import interval
from agreements.review.period import Period
from agreements.review.promises import Kept, Promise, decided, kept
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import FEW, Share, part
from agreements.words import ClockName

#: A clock is kept by nobody where chance leaves no more than this share.
KEPT = 0.5
#: The proposed time is one within which this share was done.
DONE = 0.8
#: How many times the agreed time is tried.
TIMES = (2, 3, 4, 6, 8, 12)


def unkept_clocks(
    promises: Sequence[Promise], versions: Mapping[int, Agreement], agreement: Agreement, period: Period
) -> Iterator[Proposal]:
    """Yield a proposal for each clock that nobody keeps. Misses that others caused do not count; a proof is no person's promise.

    agreement: the version that a change would follow. versions: that of each promise, by the id of its pass. Promises under a version
    with another clock do not count: both sides have changed that clock already. One week without anybody makes no clock unkept.
    """
    ours = [one for one in promises if versions.get(one.pass_id, agreement).clock(one.kind) == agreement.clock(one.kind)]
    for one in kept(ours, period):
        if one.owed_by == "baton" or one.kept.of < FEW or not _is_unkept(one.kept):
            continue
        own = [(each, is_kept) for each, is_kept in decided(ours, period) if each.kind == one.clock and _is_owners(each, is_kept, one)]
        if _is_unkept(_without_the_worst_week(own, period)):
            yield _proposal(one, [each for each, _ in own], agreement)


def _is_unkept(share: Share) -> bool:
    bounds = interval(share.count, of=share.of)
    return bounds is not None and bounds[1] < KEPT


def _without_the_worst_week(own: Sequence[tuple[Promise, bool]], period: Period) -> Share:
    weeks: dict[date, Share] = defaultdict(Share)
    for one, is_kept in own:
        weeks[period.week(one.promised_at)] += Share(count=is_kept, of=1)
    return sum(weeks.values(), Share()) - max(weeks.values(), key=lambda week: week.of - week.count)


def _is_owners(one: Promise, is_kept: bool, of: Kept) -> bool:
    return one.owed_by == of.owed_by and (is_kept or one.cause == of.owed_by)


def _proposal(one: Kept, own: Sequence[Promise], agreement: Agreement) -> Proposal:
    clock = agreement.clock(one.clock)
    bound = (interval(one.kept.count, of=one.kept.of) or (0, 1))[1]
    grounds = [
        f"{str(one.owed_by).capitalize()} kept {shown(one.kept)} of these promises; allowing for chance, at most {100 * bound:.1f} %."
    ]
    if one.caused_by:
        others = ", ".join(f"{cause} {count:,}" for cause, count in one.caused_by.items())
        grounds.append(f"Misses that others caused are left out: {others}.")
    times, done = _enough(clock, own, agreement)
    name = one.clock.replace("_", " ")
    backtest = ""
    if times:
        backtest = f"With {times} times the agreed time, the same answers would have kept {shown(done)} instead of {shown(one.kept)}."
        what = f"Nobody keeps the clock for '{name}'. Agree {times} times as long, or say what has to change so that it is kept."
    else:
        grounds.append(
            f"Even {TIMES[-1]} times the agreed time would have been enough for only {shown(done)}: a longer time does not help."
        )
        what = f"Nobody keeps the clock for '{name}', and a longer time would not help. Talk about who has to do it."
    return Proposal(
        kind="clock",
        subject=one.clock,
        what=what,
        grounds=tuple(grounds),
        leads=one.kept.of,
        changes=_changes(one.clock, clock, times, own_leg=any(getattr(leg.clocks, one.clock, None) for leg in agreement.legs)),
        backtest=backtest,
    )


def _enough(clock: Clock, own: Sequence[Promise], agreement: Agreement) -> tuple[int, Share]:
    """Return how many times the agreed time is enough for four of five, 0 where none is, and for how many of them."""
    done = Share()
    for times in TIMES:
        done = part(_is_within(one, clock, times, agreement) for one in own)
        if done.count >= DONE * done.of:
            return times, done
    return 0, done


def _is_within(one: Promise, clock: Clock, times: int, agreement: Agreement) -> bool:
    ended = one.answered_at or (one.closed_at if one.closed_because == "proven" else None)
    term = clock.term(one.tier)
    if ended is None or one.given == "deadline":
        return False
    if one.began_at is None or not isinstance(term, Duration):
        return ended <= one.promised_at
    return ended <= replace(term, amount=term.amount * times).after(one.began_at, calendar_for(clock, agreement))


def _changes(name: ClockName, clock: Clock, times: int, *, own_leg: bool) -> tuple[Change, ...]:
    if not times or own_leg:
        return ()
    longer = {
        key: {
            tier: str(replace(term, amount=term.amount * times) if isinstance(term, Duration) else term)
            for tier, term in getattr(clock, key).items()
        }
        for key in ("within", "total")
    }
    return tuple(Change(path=("clocks", name, key), value=terms) for key, terms in longer.items() if terms)
