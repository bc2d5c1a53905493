"""What a rep would have promised about a replayed lead, and whether the promise would have been kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from agreements.backtest.answer_times import Answers
from agreements.backtest.replayed import Expected, ReplayedLead
from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import Accepted, bounded_until, calendar_for, first_attempt_due, schedule
from agreements.model import Agreement, Clock
from agreements.release import morning_turn
from agreements.roster import Person, Roster
from agreements.words import ClockName

_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Owed:
    """The promises about one lead. first_attempt: None where the rep would not have accepted in time. open_until: how long the lead
    counts against the rep's capacity; had_until: how long the rep would have had it. Instants are aware UTC."""

    acceptance: Expected
    first_attempt: Expected | None
    open_until: datetime
    had_until: datetime


@dataclass(slots=True)
class Promises:
    """Calculates promises by the clocks of an agreement. Every answer time is drawn from past ones, by dice of the lead's number."""

    agreement: Agreement
    people: Roster
    answers: Answers
    _nights: dict[tuple[str, datetime], list[str]] = field(default_factory=lambda: defaultdict(list))

    def owed(self, lead: ReplayedLead, rep: str, *, at: datetime, delay: timedelta | None) -> Owed:
        """Return the promises of a rep who is told of this lead at that instant. delay: the drawn time to the answer, None for never."""
        person = self.people.people[rep]
        own = self.agreement.calendar(person.calendar)
        start = self._start(lead, rep, at)
        due = self._due("acceptance", lead.tier, start, person)
        if not self.answers.known:
            attempt = self._attempt_due(lead.tier, at, accepted=at, person=person)
            first = Expected(attempt, None, _off(person, own, attempt))
            return self._owed(lead, person, Expected(due, None, _off(person, own, due)), first, answered=due, tried=attempt)
        answered = own.add(start, delay) if delay is not None else None
        acceptance = Expected(due, answered is None or answered > due, _off(person, own, due))
        if answered is None or acceptance.missed:
            return self._owed(lead, person, acceptance, None, answered=due, tried=due)
        attempt = self._attempt_due(lead.tier, at, accepted=answered, person=person)
        took = self.answers.first_attempt.draw(rep, _dice(lead, rep, "first_attempt"))
        tried = own.add(answered, took) if took is not None else None
        first = Expected(attempt, tried is None or tried > attempt, _off(person, own, attempt))
        return self._owed(lead, person, acceptance, first, answered=answered, tried=tried or attempt)

    def delay(self, lead: ReplayedLead, rep: str) -> timedelta | None:
        """Return how long the rep would take to answer about this lead, None for never or for not known."""
        return self.answers.acceptance.draw(rep, _dice(lead, rep, "acceptance")) if self.answers.known else None

    def _owed(
        self, lead: ReplayedLead, person: Person, acceptance: Expected, first: Expected | None, *, answered: datetime, tried: datetime
    ) -> Owed:
        counted = self.agreement.routing.capacity.open_means
        ends = {"assigned": answered, "accepted-untouched": tried}
        worked = first is not None and ("working" in counted or bool(lead.company))
        had_until = self._due("outcome", lead.tier, tried, person) if worked else tried
        ends["working"] = had_until
        return Owed(acceptance, first, max((ends[one] for one in counted), default=answered), had_until)

    def _start(self, lead: ReplayedLead, rep: str, at: datetime) -> datetime:
        """Return when the acceptance clock starts: leads of a night follow each other from the opening on."""
        clock, pace = self.agreement.clock("acceptance"), self.agreement.routing.overnight_pace
        calendar = self._calendar(clock, self.people.people[rep])
        if not pace or not clock.calendar or calendar.is_open(at):
            return at
        night, urgent = self._nights[rep, calendar.next_opening(at)], self.agreement.interrupts(lead.tier)
        ahead = sum(self.agreement.interrupts(tier) or not urgent for tier in night)
        night.append(lead.tier)
        return morning_turn(at, ahead=ahead, pace=pace.length, calendar=calendar)

    def _due(self, name: ClockName, tier: str, start: datetime, person: Person) -> datetime:
        clock = self.agreement.clock(name)
        calendar = self._calendar(clock, person)
        bound = bounded_until(clock, tier=tier, first_start=start, calendar=calendar)
        return schedule(clock.model_copy(update={"at": {}}), tier=tier, start=start, calendar=calendar, bound=bound).due_at

    def _attempt_due(self, tier: str, start: datetime, *, accepted: datetime, person: Person) -> datetime:
        clock = self.agreement.clock("first_attempt")
        calendar = self._calendar(clock, person)
        bound = bounded_until(clock, tier=tier, first_start=start, calendar=calendar)
        return first_attempt_due(clock, Accepted(start, accepted, None, bound), tier=tier, calendar=calendar)

    def _calendar(self, clock: Clock, person: Person) -> WorkingCalendar:
        return calendar_for(clock, self.agreement, person.calendar)


def _dice(lead: ReplayedLead, rep: str, promise: ClockName) -> Random:
    """Return dice that fall the same way each time for this lead, rep and promise, under every agreement."""
    return Random(f"{lead.number} {rep} {promise}")


def _off(person: Person, calendar: WorkingCalendar, due: datetime) -> bool:
    """Return whether the person was away or closed in the last moment before this instant."""
    return person.is_away(due - _MOMENT) or not calendar.is_open(due - _MOMENT)
