"""The inputs of a handoff's clock: its calendar, its start, its bound, and the time that earlier reps have used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.calendar.working_time import Span, WorkingCalendar
from agreements.clocks import Past, Schedule, Spell, bounded_until, calendar_for, schedule
from agreements.model import Clock
from agreements.release import morning_turn
from agreements.words import SEVERAL, AnswerKind, ClockName, Closed, WaitKind
from storage import handoffs, held, offers, roster, waits
from storage.tables import Answer, Assignment, Handoff, Touch, Wait

#: The answers with which a tenure meets a clock. The next tenure then starts the clock at zero.
_MET: Mapping[WaitKind, tuple[AnswerKind, ...]] = {"acceptance": ("accepted",), "first_attempt": ("attempted", "connected")}
#: The subject of a wait for which no clock runs.
NO_CLOCK: Final = "no-clock"
#: The waits of the rep who has the lead, in their order.
_OWED: tuple[ClockName, ...] = ("delivery", "acceptance", "first_attempt", "outcome")


@dataclass(frozen=True, slots=True)
class Running:
    """One clock as it runs for the rep who has the lead. start: from when; bound: the latest end over all reps, None for no bound.

    before: how it ran before a request raised the lead's tier, None if none did while this rep had the lead.
    """

    clock: Clock
    tier: str
    start: datetime
    calendar: WorkingCalendar
    bound: datetime | None
    past: Past
    before: Running | None = None

    def schedule(self, *, now: datetime | None = None) -> Schedule:
        """Return the due time and the nudges before it. now: nudges at or before this time are left out.

        If a request has raised the lead's tier, the earlier of the due times by the tier before and by the one now counts.
        """
        own = self._own(now)
        before = self.before.schedule(now=now) if self.before else own
        return own if own.due_at <= before.due_at else before

    def _own(self, now: datetime | None) -> Schedule:
        return schedule(self.clock, tier=self.tier, start=self.start, calendar=self.calendar, bound=self.bound, now=now, past=self.past)


def clock_name(wait: Wait) -> ClockName:
    """The clock that this wait runs on. Only a revisit has none, and nobody has to answer one."""
    assert wait.kind != "revisit", "a nurtured lead is looked at on a date, and no clock runs for it"
    return wait.kind


def clock_of(session: Session, handoff: Handoff, name: ClockName) -> Clock:
    """The clock of that name in the handoff's current leg."""
    return handoffs.agreement_of(session, handoff).clock(name, handoff.leg)


def calendar_of(session: Session, handoff: Handoff, name: ClockName, holder: str) -> WorkingCalendar:
    """The calendar of that clock for this person; `marketing` and `system` stand for marketing's person in the roster."""
    people = roster.current(session)
    person = people.person(people.marketing if holder in ("marketing", "system") else holder)
    agreement = handoffs.agreement_of(session, handoff)
    return calendar_for(agreement.clock(name, handoff.leg), agreement, person.calendar if person else "")


def running(session: Session, handoff: Handoff, name: ClockName, row: Assignment, *, start: datetime, anew: bool = False) -> Running:
    """The clock of that name as it runs for this tenure.

    start: when the clock would begin if no rep had had the lead before. anew: a manager gave the lead back with a new clock, so
    the time used before does not count.
    """
    if row.rep == SEVERAL:
        return _of_several(session, handoff, name, row, start)
    clock, calendar = clock_of(session, handoff, name), calendar_of(session, handoff, name, row.rep)
    raised = handoff.raised_at
    if raised is not None and start < raised and row.assigned_at <= raised:  # the clock of the higher tier counts from the request
        runs = Running(clock, handoff.tier, raised, calendar, None, Past())
        return replace(runs, before=Running(clock, handoff.raised_from, start, calendar, None, Past()))
    bound = bound_of(session, handoff, name, row.rep, start=start)
    if anew:
        return Running(clock, handoff.tier, start, calendar, bound, Past())
    earlier = [one for one in handoffs.assignments(session, handoff.id) if one.leg == row.leg and one.number < row.number]
    pauses = _pauses(session, clock, [*earlier, row], start)
    while name == "first_attempt" and "fix_note" in clock.pauses and earlier and _goes_on(earlier[-1], row):
        start = earlier.pop().proven_at or start  # the same rep has the lead again, and the clock was paused in between
    return Running(clock, handoff.tier, start, calendar, bound, Past(_spells(session, handoff, name, earlier), pauses))


def _of_several(session: Session, handoff: Handoff, name: ClockName, row: Assignment, start: datetime) -> Running:
    """The clock while several reps are asked: on the calendar on which it is due first. All of them are at work when it starts."""
    clock = clock_of(session, handoff, name)
    calendars = [calendar_of(session, handoff, name, one.rep) for one in offers.open_of(session, row.id)]
    calendars = calendars or [calendar_of(session, handoff, name, row.rep)]
    runs = [Running(clock, handoff.tier, start, one, None, Past()) for one in dict.fromkeys(calendars)]
    return min(runs, key=lambda one: one.schedule().due_at)


def morning_start(session: Session, handoff: Handoff, row: Assignment, *, at: datetime) -> datetime:
    """When the acceptance clock of this tenure begins: leads that came while the rep was closed follow each other in the agreed pace.

    A lead of a tier that interrupts comes before the others. at: when the rep provably got the message.
    """
    agreement, clock = handoffs.agreement_of(session, handoff), clock_of(session, handoff, "acceptance")
    calendar, pace = calendar_of(session, handoff, "acceptance", row.rep), agreement.routing.overnight_pace
    if not pace or not clock.calendar or calendar.is_open(at):
        return at
    opening, urgent = calendar.next_opening(at), agreement.interrupts(handoff.tier)
    others = select(Wait.opened_at, Handoff.tier).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    others = others.where(Wait.holder == row.rep, col(Wait.closed_at).is_(None), Wait.kind == "acceptance", Handoff.id != handoff.id)
    ahead = [tier for opened, tier in session.exec(others) if calendar.next_opening(opened) == opening]
    return morning_turn(at, ahead=sum(agreement.interrupts(tier) or not urgent for tier in ahead), pace=pace.length, calendar=calendar)


def bound_of(session: Session, handoff: Handoff, name: ClockName, holder: str, *, start: datetime | None = None) -> datetime | None:
    """The latest end of that clock over all tenures of this leg; None for no bound, or where the clock has not begun for any rep."""
    clock = clock_of(session, handoff, name)
    rows = [one for one in handoffs.assignments(session, handoff.id) if one.leg == handoff.leg]
    starts = [at for at in (start, *(_began(session, name, one) for one in rows)) if at is not None]
    starts = [max(at, handoff.raised_at) for at in starts] if handoff.raised_at else starts
    if not starts:
        return None
    pauses = _pauses(session, clock, rows, start)
    calendar = calendar_of(session, handoff, name, holder)
    return bounded_until(clock, tier=handoff.tier, first_start=min(starts), calendar=calendar, pauses=pauses)


def _goes_on(before: Assignment, row: Assignment) -> bool:
    return before.ended_because == "note-returned" and before.rep == row.rep


def _pauses(session: Session, clock: Clock, rows: list[Assignment], start: datetime | None) -> tuple[Span, ...]:
    """The pauses of the clock: while a rep was away who kept the lead; and from each return of the note until the next proof of
    delivery, or until the clock's start."""
    spans = _stood(session, rows)
    if "fix_note" not in clock.pauses:
        return tuple(spans)
    for before, after in zip(rows, rows[1:], strict=False):
        stopped, resumed = _ended(session, before), after.proven_at or start
        if before.ended_because == "note-returned" and stopped and resumed and stopped <= resumed:
            spans.append((stopped, resumed))
    return tuple(spans)


def _stood(session: Session, rows: list[Assignment]) -> list[Span]:
    """The times in which the clock stood because the rep of the lead was away and kept it. What was told last of an absence counts.

    If the rep did not keep the lead, the clock stood until it was handed over.
    """
    if not rows:
        return []
    ident = rows[0].handoff_id
    stood: Closed = "away"
    query = select(Answer.data, Wait.assignment_id).join(Wait, col(Wait.answer_id) == col(Answer.id))
    query = query.where(Wait.handoff_id == ident, Wait.closed_because == stood).order_by(col(Answer.id))
    told = held.known(session, ident, "stood", lambda: [(data, of) for data, of in session.exec(query)])
    found = {(data["from"], of): data["until"] for data, of in told if "from" in data}
    ended = {row.id: row.ended_at for row in rows}
    spans = [(datetime.fromisoformat(begins), datetime.fromisoformat(until), ended.get(of or "")) for (begins, of), until in found.items()]
    return [(begins, min(until, end or until)) for begins, until, end in spans if begins <= min(until, end or until)]


def _spells(session: Session, handoff: Handoff, name: ClockName, earlier: list[Assignment]) -> tuple[Spell, ...]:
    """The tenures since the clock was last met."""
    spells: list[Spell] = []
    for row in earlier:
        began, ended = _began(session, name, row), _ended(session, row)
        if _was_met(session, name, row):
            spells.clear()
        elif began and ended and began < ended:
            spells.append(Spell(began, ended, calendar_of(session, handoff, name, row.rep)))
    return tuple(spells)


def _began(session: Session, name: ClockName, row: Assignment) -> datetime | None:
    """When the clock began in this tenure: at the proof that the rep was told, for the outcome at the first attempt."""
    if name != "outcome":
        return row.proven_at
    tried = select(func.min(Touch.at)).where(Touch.handoff_id == row.handoff_id, col(Touch.at) >= row.assigned_at)
    return session.exec(tried.where(col(Touch.at) <= row.ended_at) if row.ended_at else tried).one()


def _ended(session: Session, row: Assignment) -> datetime | None:
    """When the rep gave the lead up or ran out of time; Baton carries this out later. None while the rep still has the lead."""
    answer = _last_answer(session, row, _OWED)
    return answer.answered_at if answer and row.ended_at else row.ended_at


def _was_met(session: Session, name: ClockName, row: Assignment) -> bool:
    answer = _last_answer(session, row, (name,))
    return answer is not None and answer.kind in _MET.get(name, ())


def _last_answer(session: Session, row: Assignment, kinds: tuple[WaitKind, ...]) -> Answer | None:
    rows = session.exec(select(Wait).where(Wait.assignment_id == row.id, col(Wait.kind).in_(kinds)))
    last = max(rows, key=lambda wait: (wait.opened_at, _OWED.index(wait.kind), wait.rung), default=None)
    return waits.answer_of(session, last) if last else None
