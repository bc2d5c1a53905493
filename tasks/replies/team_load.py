"""The load of each rep and whose turn it is next, for the people who oversee them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.choosing import Choosing
from agreements.model import Agreement
from agreements.roster import Roster
from storage import contracts
from tasks.steps.candidates import of_team

#: The tier for which the next turn is shown, where the agreement has it; else its last one.
_TIER = "normal"


@dataclass(frozen=True, slots=True)
class RepLoad:
    """What one rep has. open_leads: that count against the capacity; opens_at: when the rep is next at work, aware, None for now;
    away: until then the rep is away; is_next: gets the next lead."""

    name: str
    open_leads: int
    capacity: int
    opens_at: datetime | None
    away: bool
    is_next: bool


@dataclass(frozen=True, slots=True)
class TeamLoad:
    """A team with its reps. tier: of the next lead; why: whose turn it is in words."""

    title: str
    agreement: str
    tier: str
    why: str
    reps: tuple[RepLoad, ...]


def team_loads(session: Session, people: Roster, reps: Collection[str] | None, *, now: datetime) -> list[TeamLoad]:
    """Return each team to which an agreement in force routes leads. reps: leave out teams of which none of these is a rep, None for none.

    Reads only. The number of statements grows with the teams, and not with the leads.
    """
    found: dict[str, TeamLoad] = {}
    for agreement in (contracts.read(row) for row in contracts.counting(session, now)):
        names = [one.name for one in agreement.tiers]
        tier = _TIER if _TIER in names else names[-1]
        for segment in agreement.routing.segments:
            theirs = people.reps_of(segment.team)
            if segment.team not in found and theirs and (reps is None or not set(reps).isdisjoint(theirs)):
                found[segment.team] = _load(agreement, of_team(session, agreement, segment, tier, now=now), people, tier)
    return list(found.values())


def _load(agreement: Agreement, seen: Choosing, people: Roster, tier: str) -> TeamLoad:
    route = seen.route(agreement)
    following = route.told or ((route.rep,) if route.rep else ())
    team = people.teams.get(seen.team)
    title = team.title if team and team.title else seen.team
    return TeamLoad(title, agreement.reference, tier, route.why, tuple(_reps(seen, people, following)))


def _reps(seen: Choosing, people: Roster, following: Collection[str]) -> Iterator[RepLoad]:
    for one in seen.candidates:
        opens = None if one.at_work else one.opens_at
        yield RepLoad(people.name_of(one.rep), one.open_leads, one.capacity, opens, one.away, one.rep in following)
