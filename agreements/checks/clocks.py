"""Check that each clock can be calculated: its times fit its calendar and the tiers, and `from` and `to` fit the clock."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.calendar.durations import Duration, Term
from agreements.checks.base import Finding, names_of
from agreements.checks.calendars import OWN
from agreements.checks.running import Running, running
from agreements.clauses.base import nearest, one_of
from agreements.clauses.clocks import RUNS
from agreements.model import Agreement, Clock
from agreements.yaml_reader import Path

#: The term for leads that wait until there is room in their rep's share of the day.
RELEASE_PLAN = "per release plan"
#: Key -> the only clock that follows it.
_ONLY_FOR = {"at_least": "first_attempt", "respect_requested_time": "first_attempt", "touches": "outcome", "check_in": "outcome"}


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find times that cannot be calculated, or that contradict each other."""
    for one in running(agreement):
        yield from _calendar(agreement, one)
        yield from _times(one)
        yield from _tiers(agreement, one)
        yield from _measures(agreement, one)
        yield from _totals(agreement, one)
        yield from _misplaced(one)
    yield from _released(agreement)


def _calendar(agreement: Agreement, one: Running) -> Iterator[Finding]:
    name = one.clock.calendar
    if name and name not in OWN and name not in agreement.calendars:
        choices = ["rep", *agreement.calendars]
        what = f"there is no calendar {name!r}{nearest(name, choices)}; write {one_of(choices)}"
        yield Finding((*one.where, "calendar"), what, needs=(("calendars", name),))


def _terms(clock: Clock) -> Iterator[tuple[Path, Term]]:
    """Yield every time that follows the clock's calendar, with its place."""
    for tier, term in clock.within.items():
        yield ("within", tier), term
    for tier, term in clock.total.items():
        yield ("total", tier), term
    if clock.at_least is not None:
        yield ("at_least",), clock.at_least
    for index, rung in enumerate(clock.when_missed):
        if rung.after is not None:
            yield ("when_missed", index, "after"), rung.after


def _times(one: Running) -> Iterator[Finding]:
    for place, term in _terms(one.clock):
        where = (*one.where, *place)
        needs: tuple[Path, ...] = ((*one.where, "calendar"),)
        if str(term) == RELEASE_PLAN:
            if one.name != "delivery" or place[0] != "within":
                yield Finding(where, f"'{RELEASE_PLAN}' fits only delivery; write it under clocks.delivery.within, and a time here")
            continue
        if one.clock.calendar and isinstance(term, Duration) and not term.working:
            wanted = str(term).replace(" ", " working ", 1)
            yield Finding(where, f"'{term}' is elapsed time beside a calendar; write '{wanted}' or drop the calendar", needs)
        if not one.clock.calendar and term.working:
            yield Finding(where, f"'{term}' follows a calendar and this clock has none; add `calendar: rep`, or write elapsed time", needs)
        if isinstance(term, Duration) and not term.amount and place[0] in ("within", "total"):
            yield Finding(where, f"'{term}' leaves no time at all; write one such as '1 {'working ' if term.working else ''}hour'")


def _tiers(agreement: Agreement, one: Running) -> Iterator[Finding]:
    known = [tier.name for tier in agreement.tiers]
    for key, terms in (("within", one.clock.within), ("total", one.clock.total)):
        for tier in terms:
            if tier not in known and tier != "normal":
                what = f"there is no tier {tier!r}{nearest(tier, known)}; write {one_of(known)}, or add it under `tiers:`"
                yield Finding((*one.where, key, tier), what, needs=names_of("tiers", len(known)))


def _measures(agreement: Agreement, one: Running) -> Iterator[Finding]:
    start, ends = RUNS[one.name]
    if one.clock.from_ and one.clock.from_ != start:
        yield Finding((*one.where, "from"), f"this clock runs from {start}; write that, or leave it out")
    written = set(one.clock.to)
    further = set(ends) - {"sql"} if one.leg else set(ends)  # between legs the lead is already an SQL
    if written and written not in (set(ends), further):
        yield Finding((*one.where, "to"), f"this clock ends with {', '.join(ends)}; write [{', '.join(ends)}], or leave it out")


def _totals(agreement: Agreement, one: Running) -> Iterator[Finding]:
    for tier in dict.fromkeys(["normal", *(tier.name for tier in agreement.tiers)]):
        within, total = one.clock.term(tier), one.clock.total_term(tier)
        if total is not None and _is_shorter(total, within):
            key = tier if tier in one.clock.total else "normal"
            what = f"'{total}' in all is shorter than '{within}' for a single rep; write at least '{within}'"
            needs = ((*one.where, "within"), (*one.where, "total"), *names_of("tiers", len(agreement.tiers)))
            yield Finding((*one.where, "total", key), what, needs)


def _is_shorter(total: Term, within: Term) -> bool:
    """Whether total is certainly shorter. Working days and working hours cannot be compared."""
    if not isinstance(total, Duration) or not isinstance(within, Duration) or total.working != within.working:
        return False
    if total.working and (total.unit == "days") != (within.unit == "days"):
        return False
    if total.working and total.unit == "days":
        return total.amount < within.amount
    return total.length < within.length


def _misplaced(one: Running) -> Iterator[Finding]:
    clock = one.clock
    asked = {
        "at_least": clock.at_least is not None,
        "respect_requested_time": clock.respect_requested_time is not None,
        "touches": clock.touches.at_least > 0,
        "check_in": bool(clock.check_in),
    }
    for key, written in asked.items():
        if written and one.name != _ONLY_FOR[key]:
            yield Finding((*one.where, key), f"only the clock `{_ONLY_FOR[key]}` follows this; write it there, or leave it out")
    if clock.touches.at_least and clock.touches.channels > clock.touches.at_least:
        what = f"{clock.touches.at_least} attempts cannot be on {clock.touches.channels} channels; write {clock.touches.at_least} or fewer"
        yield Finding((*one.where, "touches", "channels"), what, needs=((*one.where, "touches"),))


def _released(agreement: Agreement) -> Iterator[Finding]:
    within = agreement.clocks.delivery.within
    for index, tier in enumerate(agreement.tiers):
        planned = str(within.get(tier.name, "")) == RELEASE_PLAN
        if planned and tier.release is None:
            what = f"tier {tier.name!r} has no release plan; add `release: 10 per rep per working day` to it, or write a time"
            yield Finding(("clocks", "delivery", "within", tier.name), what, needs=(("tiers", index),))
        if tier.release is not None and not planned:
            what = f"leads released by the day miss any other limit; write `{tier.name}: {RELEASE_PLAN}` under clocks.delivery.within"
            yield Finding(("tiers", index, "release"), what, needs=(("clocks", "delivery", "within"), ("tiers", index, "name")))
