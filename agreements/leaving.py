"""Leaving: who takes over what somebody had who is in the roster no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agreements import presence
from agreements.absences import agreed_for
from agreements.lifecycle import Stage
from agreements.model import OnLeave
from agreements.roster import Roster


@dataclass(frozen=True, slots=True)
class Change:
    """A roster in force, the one that follows it, and the instant of the change. to: who gets everything; empty for the rules."""

    old: Roster
    new: Roster
    at: datetime
    to: str = ""

    @property
    def gone(self) -> tuple[str, ...]:
        """The ids of the people whom the new roster lacks."""
        return tuple(ident for ident in self.old.people if ident not in self.new.people)

    def deputy_of(self, ident: str) -> str:
        """Return the deputy of somebody who leaves, or who stands in for the deputy; empty if nobody of them is there."""
        person = self.old.person(ident)
        return presence.stand_in(self.new, person.deputy_at(self.at), self.at) if person else ""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a lead goes. to: this person; asked: this manager decides; both empty: routing finds somebody."""

    to: str = ""
    asked: str = ""


def destination(change: Change, ident: str, rules: OnLeave, stage: Stage) -> Destination:
    """Return where a lead of somebody who leaves goes: as agreed for an absence, except that no lead can be kept."""
    if change.to:
        return Destination(to=change.to)
    if stage == Stage.ASSIGNED:
        return Destination(to=change.deputy_of(ident) if rules.assigned == "deputy" else "")
    how = agreed_for(rules, stage)
    if how == "somebody-else":
        return Destination()
    deputy = change.deputy_of(ident) if how == "deputy" else ""
    return Destination(to=deputy) if deputy else Destination(asked=successor(change, ident))


def successor(change: Change, ident: str, *, rep: str = "") -> str:
    """Return who takes over a duty of somebody who leaves: a decision, a note, a dispute.

    That is the person to whom everything goes; else whoever has their part in the new roster: the manager of their team,
    marketing's person, the operator; else the deputy of anybody but a rep; else the operator. A stand-in replaces whoever is away.
    rep: who has the lead; nobody decides about a lead of their own.
    """
    person = change.old.person(ident)
    wanted = (change.to, *_by_role(change, ident), change.deputy_of(ident) if person and person.role != "rep" else "")
    there = (presence.stand_in(change.new, one, change.at) for one in wanted)
    operator = presence.stand_in(change.new, change.new.operator, change.at) or change.new.operator
    return next((one for one in there if one and one != rep), operator)


def _by_role(change: Change, ident: str) -> tuple[str, ...]:
    old, new = change.old, change.new
    if ident == old.marketing or (ident in old.people and old.people[ident].role == "marketing"):
        return (presence.marketing(new, change.at),)
    led = [name for name, team in old.teams.items() if team.manager == ident]
    team = old.people[ident].team if ident in old.people else ""
    return tuple(new.teams[name].manager for name in (*led, team) if name in new.teams)
