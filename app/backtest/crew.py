"""Who would have taken the leads of a backtest: the roster, and how quick its reps were."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.backtest.answer_times import Answers, AnswerTimes
from agreements.calendar.working_time import WorkingCalendar
from agreements.errors import RosterError
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.words import ClockName
from storage import roster
from storage.answer_times import PastAnswer, past_answers

#: What to do where no roster is known.
NO_ROSTER = "No roster is known, so nobody can say where the leads would go. Name one: --roster FILE."


@dataclass(frozen=True, slots=True)
class Crew:
    """people: the roster. past: how promises of reps ended, for as many as Baton knows."""

    people: Roster
    past: tuple[PastAnswer, ...] = ()

    def answers(self, agreement: Agreement) -> Answers:
        """Return how quick the reps were, in the working time of their calendars under this agreement."""
        return Answers(self._times("acceptance", agreement), self._times("first_attempt", agreement))

    def _times(self, promise: ClockName, agreement: Agreement) -> AnswerTimes:
        found: dict[str, list[timedelta | None]] = defaultdict(list)
        for one in self.past:
            if one.promise == promise:
                found[one.rep].append(_took(one, self._calendar(one.rep, agreement)))
        return AnswerTimes.of({rep: tuple(times) for rep, times in found.items()})

    def _calendar(self, rep: str, agreement: Agreement) -> WorkingCalendar:
        person = self.people.person(rep)
        return agreement.calendar(person.calendar if person else "")


def _took(one: PastAnswer, calendar: WorkingCalendar) -> timedelta | None:
    return calendar.between(one.asked_at, one.answered_at) if one.answered_at else None


def crew_of(session: Session, people: Roster | None, *, now: datetime) -> Crew | None:
    """Return this roster, else the one in force, with the absences and answers that Baton knows; None where no roster is known."""
    if people is None:
        try:
            people = roster.current(session)
        except RosterError:
            return None
    else:
        people = roster.with_stored_absences(session, people)
    return Crew(people, tuple(past_answers(session, now=now)))
