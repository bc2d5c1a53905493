"""When something is due: the instants of one clock, from its clause, the tier and the calendar of the person who owes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from agreements.calendar.durations import ALWAYS, Duration, Term
from agreements.calendar.working_time import Span, WorkingCalendar, as_utc
from agreements.model import Agreement, Clock
from agreements.prospect import SharedHours
from agreements.slips import FARTHEST
from agreements.words import Nudge

#: Values of a clock's `calendar` that mean the calendar of the person who owes it.
HOLDERS_OWN = ("", "rep", "holder")


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which the clock ran for an earlier holder of the lead, on that holder's calendar."""

    start: datetime
    end: datetime
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True)
class Past:
    """The spells of earlier holders in order, and the pauses in which the clock stood still."""

    spells: tuple[Spell, ...] = ()
    pauses: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """The instants of one running clock, all aware UTC: the due time, and the nudges at shares of the time before."""

    due_at: datetime
    nudges: tuple[tuple[datetime, Nudge], ...] = ()


def calendar_for(clock: Clock, agreement: Agreement, holder_calendar: str = "") -> WorkingCalendar:
    """Return the calendar on which a clock runs: the calendar that the clock names, else the calendar of the person who owes it.

    holder_calendar: the name of that person's calendar in the roster; empty is the agreement's first.
    """
    return agreement.calendar(calendar_name(clock, agreement, holder_calendar))


def calendar_name(clock: Clock, agreement: Agreement, holder_calendar: str = "") -> str:
    """Return the name of that calendar, or of the agreement's first calendar if the agreement lacks it."""
    name = holder_calendar if clock.calendar in HOLDERS_OWN else clock.calendar
    return name if name in agreement.calendars else next(iter(agreement.calendars))


def term_for(clock: Clock, *, tier: str, past: Past = Past()) -> Term:
    """Return the time that the next holder has: the whole time, or with `on_reassign: remainder` what earlier spells left.

    Used time is calculated on the calendars on which it passed. The next holder has the whole time again if nothing is left,
    or if the term ends with the working day.
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
    """Return the schedule of a clock that runs from start on this calendar.

    bound: the latest due time over all assignments together, None for none. A bound not after start does not count: the
    person who gets the lead then (the default acceptor) has the agreed time. now: nudges not after it are left out.
    Shares are of working time if the term is in working time, otherwise of elapsed time. Pauses are left out.
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
) -> tuple[tuple[datetime, Nudge], ...]:
    """Return the nudges at the agreed shares of the time from start to due, in order. now: nudges not after it are left out."""
    shares = sorted((share_of(clock.term(tier), percent, start, due, calendar, pauses), action) for percent, action in clock.at.items())
    return tuple((at, action) for at, action in shares if at < due and (now is None or at > now))


def share_of(
    term: Term, percent: int, start: datetime, due: datetime, calendar: WorkingCalendar, pauses: tuple[Span, ...] = ()
) -> datetime:
    """Return when this share of the time from start to due has passed, in working time if the term is, else in elapsed time."""
    return (calendar if term.working else ALWAYS).share(start, due, Fraction(percent, 100), pauses)


def bounded_until(
    clock: Clock, *, tier: str, first_start: datetime, calendar: WorkingCalendar, pauses: tuple[Span, ...] = ()
) -> datetime | None:
    """Return until when the clock may run over all reassignments, pauses left out; None if the agreement sets no `total`."""
    term = clock.total_term(tier)
    return term.after(first_start, calendar, pauses) if term else None


@dataclass(frozen=True, slots=True)
class ContactTime:
    """Whether a contact time that a lead asked for counts. at: the time to which it moves the first attempt, aware UTC, None if it
    moves nothing. ignored: why it does not count, in words; empty if it counts or the lead asked for none."""

    at: datetime | None = None
    ignored: str = ""


def contact_time(clock: Clock, requested: datetime | None, *, start: datetime, now: datetime, calendar: WorkingCalendar) -> ContactTime:
    """Decide whether the contact time that a lead asked for counts, if the agreement respects such times.

    The result is never before now. On a clock that follows a calendar, it moves to the next opening, unless the agreement keeps
    it. A time that had passed when the clock started, or that is more than FARTHEST ahead, is ignored.
    """
    if requested is None or clock.respect_requested_time is None:
        return ContactTime()
    if requested <= start:
        return ContactTime(ignored="it had passed when the rep was told")
    if requested > now + FARTHEST:
        return ContactTime(ignored="it lies more than a year ahead")
    at = as_utc(max(requested, now))
    moves = clock.calendar and clock.respect_requested_time.outside_hours == "next-opening"
    return ContactTime(calendar.next_opening(at) if moves else at)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An acceptance, from which the first attempt's due time follows. Instants are aware.

    start: when the rep provably got the message. requested: the contact time that the lead asked for, None for none.
    bound: the end of the time for all assignments together, None for none.
    """

    start: datetime
    at: datetime
    requested: datetime | None = None
    bound: datetime | None = None


def first_attempt_due(clock: Clock, accepted: Accepted, *, tier: str, calendar: WorkingCalendar, past: Past = Past()) -> datetime:
    """Return by when the rep must have tried to reach the lead.

    The rep has at least `at_least` from the acceptance. A contact time that the lead asked for, if `contact_time` counts it,
    replaces the due time by that time plus the tolerance, even if the result is earlier.
    """
    asked = contact_time(clock, accepted.requested, start=accepted.start, now=accepted.at, calendar=calendar)
    if asked.at is not None and clock.respect_requested_time is not None:
        return clock.respect_requested_time.tolerance.after(asked.at, calendar)
    term = term_for(clock, tier=tier, past=past)
    due = _bounded(term.after(accepted.start, calendar, past.pauses), start=accepted.start, bound=accepted.bound)
    return max(due, clock.at_least.after(accepted.at, calendar)) if clock.at_least else due


def after_pause(at: datetime, *, stopped: datetime, resumed: datetime, calendar: WorkingCalendar, working: bool) -> datetime:
    """Return where an instant of a clock moves when the clock stands from one instant to another: what was left then is left again.

    working: the clock counts working time. An instant before the pause stays. The same function takes a pause back: with stopped
    after resumed, what was left at `stopped` is left from `resumed` on.
    """
    if at <= stopped:
        return at
    return calendar.add(resumed, calendar.between(stopped, at)) if working else as_utc(resumed) + (at - stopped)


@dataclass(frozen=True, slots=True)
class CallDue:
    """By when a first call is due. moved: from a time at which one side sleeps; alone: the two sides never share an hour, so the rep's
    hours count. at: aware UTC."""

    at: datetime
    moved: bool = False
    alone: bool = False


def call_due(clock: Clock, due: datetime, *, tier: str, calendar: WorkingCalendar, there: tuple[WorkingCalendar, ...]) -> CallDue:
    """Return the due time of a first call in hours in which both sides are awake.

    due: by the rep's side alone. there: the lead's waking hours in each zone where it may be; none for unknown. A due time that
    moves is the next shared hour plus the tolerance for requested times, else `at_least`, else the whole time on shared hours.
    """
    shared = SharedHours(calendar if clock.calendar else None, there)
    if not there or shared.hold(due):
        return CallDue(due)
    opening = shared.opening(due)
    if opening is None:
        return CallDue(due, alone=True)
    requested = clock.respect_requested_time
    grace = requested.tolerance if requested else clock.at_least or clock.term(tier)
    return CallDue(grace.after(opening, calendar), moved=True)


def _bounded(due: datetime, *, start: datetime, bound: datetime | None) -> datetime:
    return bound if bound is not None and start < bound < due else due


def is_too_late(*, at: datetime, requested: datetime | None, due: datetime) -> bool:
    """Whether a first attempt came after the time that the lead asked for and its tolerance. due: of the first attempt."""
    return requested is not None and requested <= due < at


def is_too_early(*, at: datetime, requested: datetime | None) -> bool:
    """Whether an attempt came before the time that the lead asked for. A time more than FARTHEST ahead does not count."""
    return requested is not None and at < requested <= at + FARTHEST
