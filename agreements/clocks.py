"""When what is due: the instants of one clock, from the clause, the tier and the calendar of who owes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from agreements.calendar.durations import ALWAYS, Duration, Term
from agreements.calendar.working_time import Span, WorkingCalendar, as_utc
from agreements.model import Agreement, Clock

#: What `calendar` of a clock says when it is that of whoever owes it.
HOLDERS_OWN = ("", "rep", "holder")
#: A contact time that a lead asked for and that lies further ahead is a slip.
FARTHEST = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which the clock ran for somebody who has the lead no longer, on that person's calendar."""

    start: datetime
    end: datetime
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True)
class Past:
    """What came before: the spells of earlier holders in order, and the pauses in which the clock stood still."""

    spells: tuple[Spell, ...] = ()
    pauses: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants of one running clock, all aware UTC: the due time, and what happens at shares of it before."""

    due_at: datetime
    nudges: tuple[tuple[datetime, str], ...] = ()


def calendar_for(clock: Clock, agreement: Agreement, holder_calendar: str = "") -> WorkingCalendar:
    """Return the calendar on which a clock runs: the calendar that the clock names, else that of the person who owes it.

    holder_calendar: the name that the roster gives for that person; empty is the agreement's first.
    """
    return agreement.calendar(calendar_name(clock, agreement, holder_calendar))


def calendar_name(clock: Clock, agreement: Agreement, holder_calendar: str = "") -> str:
    """The name of that calendar; that of the agreement's first for one that the agreement does not have."""
    name = holder_calendar if clock.calendar in HOLDERS_OWN else clock.calendar
    return name if name in agreement.calendars else next(iter(agreement.calendars))


def term_for(clock: Clock, *, tier: str, past: Past = Past()) -> Term:
    """The time that the next holder has: the whole of it, or with `on_reassign: remainder` what the spells before left.

    Used time is calculated on the calendars on which it passed. Where nothing is left, the next holder has the whole time
    again, and so it is with a term that ends with the working day.
    """
    whole = left = clock.term(tier)
    if clock.on_reassign == "restart":
        return whole
    for spell in past.spells:
        if isinstance(left, Duration):
            left = left.left_after(spell.start, spell.end, spell.calendar, past.pauses) or whole
    return left


def schedule(
    clock: Clock,
    *,
    tier: str,
    start: datetime,
    calendar: WorkingCalendar,
    bound: datetime | None = None,
    now: datetime | None = None,
    past: Past = Past(),
) -> Schedule:
    """The schedule of a clock that runs from start on this calendar.

    bound: the latest due time over all assignments together, None for none; one that is past already does not count, as
    whoever gets the lead then (the default acceptor) has the agreed time. now: nudges not after it are left out.
    Shares are of working time where the term is in working time, of elapsed time otherwise; pauses are left out.
    """
    due = _bounded(term_for(clock, tier=tier, past=past).after(start, calendar, past.pauses), start=start, bound=bound)
    return Schedule(due, nudges(clock, tier=tier, start=start, due=due, calendar=calendar, now=now, pauses=past.pauses))


def nudges(
    clock: Clock,
    *,
    tier: str,
    start: datetime,
    due: datetime,
    calendar: WorkingCalendar,
    now: datetime | None = None,
    pauses: tuple[Span, ...] = (),
) -> tuple[tuple[datetime, str], ...]:
    """Return what happens at the agreed shares of the time from start to due, in order. now: earlier ones are left out."""
    shares = sorted((share_of(clock.term(tier), percent, start, due, calendar, pauses), action) for percent, action in clock.at.items())
    return tuple((at, action) for at, action in shares if at < due and (now is None or at > now))


def share_of(
    term: Term, percent: int, start: datetime, due: datetime, calendar: WorkingCalendar, pauses: tuple[Span, ...] = ()
) -> datetime:
    """The instant at which this share of the time from start to due has passed: of working time for a term in such, else of all."""
    return (calendar if term.working else ALWAYS).share(start, due, Fraction(percent, 100), pauses)


def bounded_until(
    clock: Clock, *, tier: str, first_start: datetime, calendar: WorkingCalendar, pauses: tuple[Span, ...] = ()
) -> datetime | None:
    """Return until when the clock may run over all reassignments, without pauses; None if the agreement sets no `total`."""
    term = clock.total_term(tier)
    return term.after(first_start, calendar, pauses) if term else None


@dataclass(frozen=True, slots=True)
class ContactTime:
    """Whether a contact time that a lead asked for counts. at: to when it moves the first attempt, aware UTC, None where it moves
    nothing; ignored: why it does not count, in words, empty where it does or none was asked for."""

    at: datetime | None = None
    ignored: str = ""


def contact_time(clock: Clock, requested: datetime | None, *, start: datetime, now: datetime, calendar: WorkingCalendar) -> ContactTime:
    """Decide whether the contact time that a lead asked for counts, if the agreement respects such times.

    It is as late as now at least, and on a clock that follows a calendar it moves to the next opening. One that had passed when
    the clock started, or lies further ahead than a lead can mean, is ignored.
    """
    if requested is None or clock.respect_requested_time is None:
        return ContactTime()
    if requested <= start:
        return ContactTime(ignored="it had passed when the rep was told")
    if requested > now + FARTHEST:
        return ContactTime(ignored="it lies more than a year ahead")
    at = as_utc(max(requested, now))
    return ContactTime(calendar.next_opening(at) if clock.calendar else at)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance, by which the first attempt is due. Instants are aware.

    start: when the rep was provably told. requested: the contact time that the lead asked for, None for none. bound: the end of
    the time for all assignments together, None for none.
    """

    start: datetime
    at: datetime
    requested: datetime | None = None
    bound: datetime | None = None


def first_attempt_due(clock: Clock, accepted: Accepted, *, tier: str, calendar: WorkingCalendar, past: Past = Past()) -> datetime:
    """Return by when the rep must have tried to reach the lead.

    The rep has at least `at_least` from the acceptance. A contact time that the lead asked for moves the due time, as
    contact_time says: due then plus the tolerance, also when that is earlier.
    """
    asked = contact_time(clock, accepted.requested, start=accepted.start, now=accepted.at, calendar=calendar)
    if asked.at is not None and clock.respect_requested_time is not None:
        return clock.respect_requested_time.after(asked.at, calendar)
    term = term_for(clock, tier=tier, past=past)
    due = _bounded(term.after(accepted.start, calendar, past.pauses), start=accepted.start, bound=accepted.bound)
    return max(due, clock.at_least.after(accepted.at, calendar)) if clock.at_least else due


def _bounded(due: datetime, *, start: datetime, bound: datetime | None) -> datetime:
    return bound if bound is not None and start < bound < due else due


def is_too_early(*, at: datetime, requested: datetime | None) -> bool:
    """Whether an attempt came before the time the lead asked for, as far ahead as such a time counts."""
    return requested is not None and at < requested <= at + FARTHEST
