"""Clocks that nobody keeps: clearly less than half of the promises are kept by whoever owes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from agreements.calendar.durations import Duration
from agreements.clocks import calendar_for
from agreements.model import Agreement, Clock
from agreements.review.chance import interval
from agreements.review.period import Period
from agreements.review.promises import Kept, Promise, decided
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import FEW, Share, part
from agreements.words import ClockName

#: A clock is kept by nobody where chance leaves no more than this share.
KEPT = 0.5
#: The proposed time is one within which this share was done.
DONE = 0.8
#: How many times the agreed time is tried.
TIMES = (2, 3, 4, 6, 8, 12)


def unkept_clocks(kept: Sequence[Kept], promises: Sequence[Promise], agreement: Agreement, period: Period) -> Iterator[Proposal]:
    """Yield a proposal for each clock that nobody keeps. Misses that others caused do not count; a proof is no person's promise."""
    for one in kept:
        bounds = interval(one.kept.count, of=one.kept.of)
        if one.owed_by == "baton" or one.kept.of < FEW or bounds is None or bounds[1] >= KEPT:
            continue
        own = [each for each, is_kept in decided(promises, period) if each.kind == one.clock and _is_owners(each, is_kept, one)]
        yield _proposal(one, bounds[1], own, agreement)


def _is_owners(one: Promise, is_kept: bool, of: Kept) -> bool:
    return one.owed_by == of.owed_by and (is_kept or one.cause == of.owed_by)


def _proposal(one: Kept, bound: float, own: Sequence[Promise], agreement: Agreement) -> Proposal:
    clock = agreement.clock(one.clock)
    grounds = [f"{str(one.owed_by).capitalize()} kept {shown(one.kept)} of these promises; chance leaves at most {100 * bound:.1f} %."]
    if one.caused_by:
        others = ", ".join(f"{cause} {count:,}" for cause, count in one.caused_by.items())
        grounds.append(f"Misses that others caused are left out: {others}.")
    times, done = _enough(clock, own, agreement)
    name = one.clock.replace("_", " ")
    if times:
        grounds.append(f"{times} times the agreed time would have been enough for {shown(done)}.")
        what = f"Nobody keeps the clock for '{name}'. Agree {times} times as long, or say what has to change so that it is kept."
    else:
        grounds.append(
            f"Even {TIMES[-1]} times the agreed time would have been enough for only {shown(done)}: a longer time does not help."
        )
        what = f"Nobody keeps the clock for '{name}', and a longer time would not help. Talk about who has to do it."
    return Proposal(
        kind="clock", subject=one.clock, what=what, grounds=tuple(grounds), leads=one.kept.of, changes=_changes(one.clock, clock, times)
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


def _changes(name: ClockName, clock: Clock, times: int) -> tuple[Change, ...]:
    if not times:
        return ()
    longer = {
        key: {
            tier: str(replace(term, amount=term.amount * times) if isinstance(term, Duration) else term)
            for tier, term in getattr(clock, key).items()
        }
        for key in ("within", "total")
    }
    return tuple(Change(path=("clocks", name, key), value=terms) for key, terms in longer.items() if terms)
