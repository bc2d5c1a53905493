"""When what is due: the instants of one clock, from the clause, the tier and the calendar of who owes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from agreements.durations import Term
from agreements.model import Clock
from agreements.working_time import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants of one running clock, all aware UTC: the due time, and what happens at shares of it before."""

    due_at: datetime
    nudges: tuple[tuple[datetime, str], ...] = ()


def schedule(
    clock: Clock, *, tier: str, start: datetime, calendar: WorkingCalendar, bound: datetime | None = None, now: datetime | None = None
) -> Schedule:
    """The schedule of a clock that runs from start on this calendar.

    bound: the latest due time over all assignments together, None for none; one that is past already does not count, as
    whoever gets the lead then (the default acceptor) has the agreed time. now: nudges not after it are left out.
    Shares are of working time where the term is in working time, of elapsed time otherwise.
    """
    term = clock.term(tier)
    due = term.after(start, calendar)
    if bound is not None and start < bound < due:
        due = bound
    nudges = sorted((_share(start, due, percent, term, calendar), action) for percent, action in clock.at.items())
    return Schedule(due, tuple((at, action) for at, action in nudges if at < due and (now is None or at > now)))


def _share(start: datetime, due: datetime, percent: int, term: Term, calendar: WorkingCalendar) -> datetime:
    if getattr(term, "working", True):
        return calendar.share(start, due, Fraction(percent, 100))
    return start + (due - start) * percent / 100


def bounded_until(clock: Clock, *, tier: str, first_start: datetime, calendar: WorkingCalendar) -> datetime | None:
    """Until when the clock may run over all reassignments, None where the agreement sets no `total`."""
    term = clock.total_term(tier)
    return term.after(first_start, calendar) if term else None


def first_attempt_due(
    clock: Clock, *, tier: str, start: datetime, accepted_at: datetime, calendar: WorkingCalendar, requested: datetime | None
) -> datetime:
    """By when the lead must have been tried for the first time.

    start: when the rep was provably told; accepted_at leaves him at least `at_least`. A contact time that the lead asked
    for moves it: due then plus the tolerance, also when that is earlier.
    """
    if requested is not None and clock.respect_requested_time is not None and requested > start:
        return max(requested, accepted_at) + _tolerance(clock)
    due = clock.term(tier).after(start, calendar)
    return max(due, clock.at_least.after(accepted_at, calendar)) if clock.at_least else due


def _tolerance(clock: Clock) -> timedelta:
    origin = datetime.fromisoformat("2000-01-03T00:00:00+00:00")
    return (clock.respect_requested_time.after(origin, None) - origin) if clock.respect_requested_time else timedelta(0)


def is_too_early(*, at: datetime, requested: datetime | None) -> bool:
    """Whether an attempt came before the time the lead asked for."""
    return requested is not None and at < requested
