"""Staff: the reps as routing sees them at one instant. Are they there, at work, and when are they at work next?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from agreements.calendar.working_time import WorkingCalendar
from agreements.model import Agreement
from agreements.release import share_began
from agreements.roster import Roster
from agreements.routing import Candidate


@dataclass(frozen=True, slots=True)
class Staff:
    """The people of a roster at one instant, under one agreement. now: aware. weighted: whether the weights of the roster count.

    Many people share a calendar: what it says of this instant is calculated once.
    """

    people: Roster
    agreement: Agreement
    now: datetime
    weighted: bool = False
    _open: dict[str, bool] = field(default_factory=dict, init=False, repr=False, compare=False)
    _opens: dict[tuple[str, datetime], datetime] = field(default_factory=dict, init=False, repr=False, compare=False)
    _began: dict[str, datetime] = field(default_factory=dict, init=False, repr=False, compare=False)

    def calendar(self, rep: str) -> WorkingCalendar:
        """Return the calendar by which the rep works."""
        return self.agreement.calendar(self.people.people[rep].calendar)

    def is_open(self, rep: str) -> bool:
        """Whether now lies within the hours of the rep's calendar, absent or not."""
        name = self.people.people[rep].calendar
        found = self._open.get(name)
        if found is None:
            found = self._open[name] = self.agreement.calendar(name).is_open(self.now)
        return found

    def share_began(self, rep: str) -> datetime:
        """Return since when leads count to the rep's share of this working day; see agreements/release.py."""
        name = self.people.people[rep].calendar
        found = self._began.get(name)
        if found is None:
            found = self._began[name] = share_began(self.agreement.calendar(name), self.now)
        return found

    def candidate(self, rep: str, *, open_leads: int, left: int | None = None) -> Candidate:
        """Return the rep as a candidate. left: what is left of today's share of a tier that is released day by day, None if it is not."""
        person = self.people.people[rep]
        away, back_at = person.is_away(self.now), person.back_at(self.now)
        at_work = not away and self.is_open(rep)
        return Candidate(
            rep,
            away,
            back_at,
            at_work,
            self.now if at_work else self._opening(person.calendar, back_at),
            open_leads,
            self.agreement.routing.capacity.per_rep if person.capacity is None else person.capacity,
            person.weight_at(self.now, weighted=self.weighted),
            left,
        )

    def _opening(self, name: str, at: datetime) -> datetime:
        found = self._opens.get((name, at))
        if found is None:
            found = self._opens[name, at] = self.agreement.calendar(name).next_opening(at)
        return found
