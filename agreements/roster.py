"""The people and teams: who may get leads, who decides, who completes notes, and who is away when."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent

from agreements.errors import RosterError
from agreements.feed_address import wrong_feed_address
from agreements.lead import beyond_bounds, is_address, storable
from agreements.model import Clause, Name
from agreements.roster_lines import circles, with_lines

#: Enough for some ten thousand people.
MAX_CHARACTERS = 2_000_000
MAX_DEPTH = 20


class Away(Clause):
    """An absence, from the first instant to the last, aware. deputy: who stands in during this one; empty for the person's own."""

    from_: AwareDatetime = Field(alias="from")
    until: AwareDatetime
    deputy: str = ""


#: The parts of a person with weight 1: many small fractions of it are whole numbers.
WEIGHT = 5040
_FRACTION = re.compile(r"([1-9]\d{0,2})/([1-9]\d{0,2})", re.ASCII)


class Share(Clause):
    """A part of a usual share for some time, such as a newcomer's: `{of: 1/3, until: 2027-04-01T00:00:00Z}`, aware."""

    of: str
    until: AwareDatetime

    @property
    def part(self) -> Fraction:
        """The part, from 0 exclusive to 1 inclusive. Raises ValueError for a text that says none."""
        found = _FRACTION.fullmatch(self.of)
        if found is None or int(found[1]) > int(found[2]):
            raise ValueError(f"{self.of!r} is no part of a share; write one such as 1/3")
        return Fraction(int(found[1]), int(found[2]))


#: What a person does in handoffs.
Role = Literal["rep", "manager", "marketing", "operator"]


class Person(Clause):
    """Somebody who takes part. calendar: a name from the agreement's `calendars`; empty takes the first one.

    timezone: the zone in which the person reads times, UTC if empty. capacity: overrides the agreement's number of open leads.
    weight: their part of the leads where the strategy is `weighted-round-robin`. share: a smaller part for some time.
    deputy: who stands in while the person is away; empty for nobody. calendar_feed: the secret address of the person's own calendar
    (iCal), in which Baton reads absences; empty for none.
    shared: the entry is a mailbox that several people read; members: their ids. One of them gives each answer through it.
    """

    name: str = Field(min_length=1, max_length=100)
    email: str
    role: Role = "rep"
    team: str = ""
    phone: str = ""
    chat: str = ""
    calendar: str = ""
    timezone: str = "UTC"
    capacity: int | None = Field(default=None, ge=0)
    weight: int = Field(default=1, ge=1, le=100)
    share: Share | None = None
    shared: bool = False
    members: tuple[Name, ...] = ()
    away: tuple[Away, ...] = ()
    deputy: str = ""
    calendar_feed: str = Field(default="", repr=False)

    def is_away(self, at: datetime) -> bool:
        """Whether the person is absent at that instant."""
        return bool(self.away) and any(one.from_ <= at < one.until for one in self.away)

    def deputy_at(self, at: datetime) -> str:
        """Return who stands in for the person at that instant: the deputy of the absence, else the person's own; empty for nobody."""
        return next((one.deputy for one in self.away if one.from_ <= at < one.until and one.deputy), self.deputy)

    def weight_at(self, at: datetime, *, weighted: bool) -> int:
        """Return the person's part of the leads at that instant, at least 1; WEIGHT is the part of a usual person."""
        whole = WEIGHT * (self.weight if weighted else 1)
        return max(1, int(whole * self.share.part)) if self.share and at < self.share.until else whole

    def back_at(self, at: datetime) -> datetime:
        """Return when an absent person is back, or `at` if the person is not absent."""
        while ends := [one.until for one in self.away if one.from_ <= at < one.until]:  # an absence may follow at once
            at = max(ends)
        return at


class Team(Clause):
    """A group of reps and the person who decides for them."""

    manager: Name
    title: str = ""


class Roster(Clause):
    """All people by id and all teams by name. marketing: who completes notes; operator: who gets alarms (ids of people)."""

    people: Mapping[Name, Person] = Field(min_length=1)
    teams: Mapping[Name, Team] = Field(min_length=1)
    marketing: Name
    operator: Name

    def person(self, ident: str) -> Person | None:
        """Return the person with that id, None for none."""
        return self.people.get(ident)

    def name_of(self, ident: str) -> str:
        """Return the name of that person, or the id if the roster lacks the person."""
        person = self.people.get(ident)
        return person.name if person else ident

    def reps_of(self, team: str) -> list[str]:
        """Return the ids of a team's reps, in the order of the file."""
        return [ident for ident, person in self.people.items() if person.team == team and person.role == "rep"]

    def manager_of(self, ident: str) -> str:
        """Return who decides for that person: the team's manager, or the operator if there is none."""
        person = self.people.get(ident)
        team = self.teams.get(person.team) if person else None
        return team.manager if team else self.operator

    def problems(self) -> list[str]:
        """Return what does not fit together, each with what to write instead."""
        found = []
        for ident, person in self.people.items():
            if not is_address(person.email):
                found.append(f"people.{ident}.email: {person.email!r} is no address; write name@company.example")
            if person.team and person.team not in self.teams:
                found.append(f"people.{ident}.team: there is no team {person.team!r}; name one of {', '.join(self.teams)}")
            try:
                ZoneInfo(person.timezone)
            except Exception:  # zoneinfo raises several unrelated types for one bad name
                found.append(f"people.{ident}.timezone: {person.timezone!r} is no time zone; write one such as Europe/London")
            if person.calendar_feed and (wrong := wrong_feed_address(person.calendar_feed)):
                found.append(f"people.{ident}.calendar_feed: {wrong}")
            try:
                person.weight_at(datetime.min.replace(tzinfo=UTC), weighted=True)
            except ValueError as error:
                found.append(f"people.{ident}.share: {error}")
            found += self._wrong_absences(ident, person)
            found += self._wrong_members(ident, person)
        named = [(f"teams.{name}.manager", team.manager) for name, team in self.teams.items()]
        for where, ident in [*named, ("marketing", self.marketing), ("operator", self.operator)]:
            if ident not in self.people:
                found.append(f"{where}: nobody is called {ident!r}; name one of {', '.join(self.people)}")
        return found

    def _wrong_absences(self, ident: str, person: Person) -> list[str]:
        found, where = [], f"people.{ident}.away"
        for number, one in enumerate(person.away):
            if one.until <= one.from_:
                found.append(f"{where}.{number}: ends at {one.until:%Y-%m-%d %H:%M}, before it begins; correct one of the two")
            if earlier := next((other for other in person.away[:number] if other.from_ < one.until and one.from_ < other.until), None):
                found.append(f"{where}.{number}: overlaps the absence from {earlier.from_:%Y-%m-%d %H:%M}; write one absence for both")
        named = [(f"people.{ident}.deputy", person.deputy), *((f"{where}.{n}.deputy", one.deputy) for n, one in enumerate(person.away))]
        for place, deputy in named:
            if deputy and (deputy == ident or deputy not in self.people):
                found.append(f"{place}: {deputy!r} cannot stand in; name another person of the roster")
        return found

    def _wrong_members(self, ident: str, person: Person) -> list[str]:
        if not person.shared:
            wrong = f"people.{ident}.members: only a shared mailbox has members; write shared: true, or leave them out"
            return [wrong] if person.members else []
        where, found = f"people.{ident}.members", []
        if person.role == "operator":
            found.append(f"people.{ident}.shared: an operator gets alarms and answers nothing; leave shared out")
        if not person.members:
            found.append(f"{where}: a shared mailbox needs the ids of those who read it, such as [ana, ben]")
        for member in person.members:
            known = self.people.get(member)
            if known is None or known.shared or known.role != person.role:
                found.append(f"{where}: {member!r} is not somebody with the role {person.role}; name the ids of such people")
        return found


def read_roster(text: str, *, loaded: bool = False) -> Roster:
    """Read a roster file. Raises RosterError, which names each mistake.

    loaded: the text passed its checks when it was loaded. So a check that a later version adds leaves nobody without a roster.
    """
    tree = _tree(text)
    try:
        roster = Roster.model_validate(_plain(tree or {}))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise RosterError("\n".join(with_lines(text, lines))) from error
    if not loaded and (problems := [*roster.problems(), *circles(roster)]):
        raise RosterError("\n".join(with_lines(text, problems)))
    return roster


def _tree(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise RosterError(f"The roster is longer than {MAX_CHARACTERS:,} characters; leave out what is no person or team.")
    try:
        depth = 0
        for event in YAML(typ="safe", pure=True).parse(io.StringIO(text)):
            if isinstance(event, AliasEvent):
                raise RosterError("aliases (*name) are not used in rosters; write the person out")
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH:  # refused at once: reading all of it would take far too long
                raise RosterError(f"line {event.start_mark.line + 1}: is nested more than {MAX_DEPTH} deep; close the brackets")
        return YAML(typ="safe", pure=True).load(io.StringIO(text))
    except (YAMLError, ValueError, RecursionError) as error:  # an impossible date is a ValueError
        raise RosterError(f"The roster is not readable YAML: {error}") from error


def _plain(value: Any, where: str = "") -> Any:
    """Return the value with texts as keys. Raises RosterError for a value above the limits."""
    if isinstance(value, dict):
        return {str(key): _plain(one, f"{where}{str(key)[:80]}.") for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one, f"{where}{number}.") for number, one in enumerate(value)]
    if problem := beyond_bounds(value):
        raise RosterError(f"{where.removesuffix('.')}: {problem}")
    if isinstance(value, str) and storable(value) != value:
        raise RosterError(f"{where.removesuffix('.')}: holds a character that is no text (U+0000, or half of a pair); take it out")
    return value
