"""What one clock does from its start: shares, due time, ladder, and the closed days it skips. Nothing is carried out here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from agreements.calendar.durations import ALWAYS, ReleasePlan, Term
from agreements.calendar.working_time import Span, WorkingCalendar
from agreements.clauses.clocks import Action, OwedBy
from agreements.clocks import bounded_until, calendar_for, calendar_name, schedule, share_of
from agreements.model import Agreement, Clock
from agreements.words import ClockName

#: Rungs after which somebody else has the lead -> what decides when the next rung comes.
_LATER: Mapping[Action, str] = {
    "reassign": "when the next rep misses it too",
    "default-acceptor": "when the default acceptor misses it too",
    "manager-decides": "when the manager gives it back and it is missed again",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One action of the clock. at: aware UTC, None if the time depends on somebody else; when: the time in words."""

    at: datetime | None
    do: str
    when: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """One clock from its start on. All instants are aware UTC.

    calendar: the calendar it is calculated on, by name and value; term: as agreed for the tier; bound: until when it may run
    over all reps, None for no bound; closed: the skipped days, each with the reason; counted: the stretches that add up to
    the term; notes: what else moves the due time.
    """

    clock: ClockName
    tier: str
    owed_by: OwedBy
    calendar_name: str
    calendar: WorkingCalendar
    term: Term
    start: datetime
    due_at: datetime
    nudges: tuple[Step, ...]
    rungs: tuple[Step, ...]
    bound: datetime | None
    closed: tuple[tuple[date, str], ...]
    counted: tuple[Span, ...]
    notes: tuple[str, ...]


def timeline(agreement: Agreement, name: ClockName, *, tier: str, start: datetime, holder_calendar: str = "", leg: int = 0) -> Timeline:
    """Return what the clock of that name does for somebody who gets the lead at the start.

    holder_calendar: the name of the holder's calendar; empty is the agreement's first.
    Raises: KeyError for an unknown clock; NaiveDatetime; CalendarError if the calendar stops opening.
    """
    clock = agreement.clock(name, leg)
    calendar = calendar_for(clock, agreement, holder_calendar)
    term = clock.term(tier)
    bound = bounded_until(clock, tier=tier, first_start=start, calendar=calendar)
    plan = schedule(clock, tier=tier, start=start, calendar=calendar, bound=bound)
    shares = sorted((share_of(term, percent, start, plan.due_at, calendar), percent, action) for percent, action in clock.at.items())
    on = calendar if term.working else ALWAYS
    return Timeline(
        clock=name,
        tier=tier,
        owed_by=clock.owed_by,
        calendar_name=calendar_name(clock, agreement, holder_calendar),
        calendar=calendar,
        term=term,
        start=start,
        due_at=plan.due_at,
        nudges=tuple(Step(at, action, f"at {percent}%") for at, percent, action in shares if at < plan.due_at),
        rungs=tuple(_rungs(clock, plan.due_at, bound, calendar)),
        bound=bound,
        closed=tuple(calendar.closed_days(start, plan.due_at)) if term.working else (),
        counted=tuple(on.open_between(start, plan.due_at)),
        notes=tuple(_notes(clock, tier, plan.due_at, bound)),
    )


def _rungs(clock: Clock, due: datetime, bound: datetime | None, calendar: WorkingCalendar) -> Iterator[Step]:
    """Yield the rungs from the due time on. After a rung that gives the lead to somebody else, the times are unknown (None)."""
    at: datetime | None = due
    later = ""
    for rung in clock.when_missed:
        for turn in range(1, rung.at_most + 1):
            at = rung.after.after(at, calendar) if rung.after and at else at
            do = rung.do if rung.at_most == 1 else f"{rung.do} ({turn} of {rung.at_most})"
            if rung.do == "reassign" and at and bound and at >= bound:
                yield Step(None, do, "passed over: the total time is used up")
                continue
            words = [f"after {rung.after}"] if rung.after else []
            yield Step(at, f"{do} on track {rung.track}" if rung.track else do, ", ".join([*words, *filter(None, [later])]) or "at once")
            if rung.do in _LATER:
                at, later = None, _LATER[rung.do]


def _notes(clock: Clock, tier: str, due: datetime, bound: datetime | None) -> Iterator[str]:
    if isinstance(clock.term(tier), ReleasePlan):
        yield "the start is taken as the time at which the plan releases the lead"
    if bound is not None and due == bound:
        yield "the total time over all reps ends here"
    if bound is not None and clock.on_reassign == "remainder":
        yield "on reassignment the next rep gets what is left, on their own calendar, within the total"
    elif clock.on_reassign == "remainder":
        yield "on reassignment the next rep gets what is left, on their own calendar"
    if clock.at_least:
        yield f"a rep who accepts late still has {clock.at_least} from then"
    if clock.respect_requested_time:
        yield f"a contact time that the lead asked for moves it there, plus {clock.respect_requested_time}"
    if clock.pauses:
        yield "the clock is paused while marketing corrects the note"
