"""Check that an agreement and a roster know the same people, teams and calendars."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.clauses.base import nearest, one_of
from agreements.model import Agreement
from agreements.roster import Roster


def problems_with_roster(agreement: Agreement, roster: Roster) -> list[str]:
    """Return what one of them names and the other lacks, each as `where: what; what to write instead`."""
    return [*_teams(agreement, roster), *_people(agreement, roster), *_calendars(agreement, roster)]


def _named_teams(agreement: Agreement) -> Iterator[tuple[str, str]]:
    for index, segment in enumerate(agreement.routing.segments):
        yield f"routing.segments.{index}.team", segment.team
    for number, leg in enumerate(agreement.legs):
        for index, part in enumerate(leg.segments):
            yield f"legs.{number}.segments.{index}.team", part.team


def _teams(agreement: Agreement, roster: Roster) -> Iterator[str]:
    needed = set()
    for where, team in _named_teams(agreement):
        if team not in roster.teams:
            yield f"{where}: there is no team {team!r} in the roster{nearest(team, roster.teams)}; it has {', '.join(roster.teams)}"
        else:
            needed.add(team)
    for name in roster.teams:
        if name in needed and not roster.reps_of(name):
            yield f"teams.{name}: nobody in this team is a rep, so all its leads go to the default acceptor; give it one"
        if name in needed and roster.teams[name].manager not in roster.people:
            manager = roster.teams[name].manager
            yield f"teams.{name}.manager: nobody in the roster is called {manager!r}; name {one_of(roster.people)}"


def _people(agreement: Agreement, roster: Roster) -> Iterator[str]:
    for where, ident in (("default_acceptor", agreement.routing.default_acceptor), ("on_call", agreement.routing.on_call)):
        if ident and ident not in roster.people:
            yield f"routing.{where}: nobody in the roster is called {ident!r}{nearest(ident, roster.people)}"


def _calendars(agreement: Agreement, roster: Roster) -> Iterator[str]:
    for ident, person in roster.people.items():
        if person.calendar and person.calendar not in agreement.calendars:
            near = nearest(person.calendar, agreement.calendars)
            yield f"people.{ident}.calendar: the agreement has no calendar {person.calendar!r}{near}"
