"""Who is there: whoever must be asked is somebody who is at work in these days, or the person who stands in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from agreements.roster import Roster


def stand_in(people: Roster, ident: str, at: datetime) -> str:
    """Return the person if they are not away at that instant, else whoever stands in for them; empty if nobody does.

    A deputy who is away too has a deputy of their own. A circle of deputies ends where it began, with nobody.
    """
    return next((one for one in _line_of(people, ident, at) if not people.people[one].is_away(at)), "")


def decider(people: Roster, ident: str, at: datetime) -> str:
    """Return who decides for that person now: the team's manager, else the manager's stand-in, else the operator.

    Nobody decides about a lead of their own: somebody who would is passed over.
    """
    asked = stand_in(people, people.manager_of(ident), at)
    return asked if asked and asked != ident else stand_in(people, people.operator, at) or people.operator


def decides_for(people: Roster, person: str, ident: str, at: datetime) -> bool:
    """Whether that person may decide for `ident` at that instant: the manager by office, there or not, and whoever is asked instead."""
    return person in (people.manager_of(ident), decider(people, ident, at))


def decides_for_others(people: Roster, person: str, at: datetime) -> bool:
    """Whether that person may decide for anybody else at that instant."""
    return any(decides_for(people, person, ident, at) for ident in people.people if ident != person)


def marketing(people: Roster, at: datetime) -> str:
    """Return who completes notes now: marketing's person, else their stand-in, else a colleague of marketing, else the person."""
    return stand_in(people, people.marketing, at) or next(
        (ident for ident, one in people.people.items() if one.role == "marketing" and not one.is_away(at)), people.marketing
    )


def is_marketing(people: Roster, ident: str, at: datetime) -> bool:
    """Whether that person says at that instant what marketing has to say: people of marketing, and whoever stands in for them."""
    person = people.person(ident)
    return person is not None and (person.role == "marketing" or ident in (people.marketing, marketing(people, at)))


def there_at(people: Roster, ident: str, at: datetime) -> datetime:
    """Return from when a clock may run for that person: that instant, or when they are back; a stranger is always there."""
    person = people.person(ident)
    return person.back_at(at) if person else at


def _line_of(people: Roster, ident: str, at: datetime) -> Iterator[str]:
    """The person, then the deputy for this absence, then that one's deputy, and so on; each once."""
    seen: set[str] = set()
    while ident in people.people and ident not in seen:
        yield ident
        seen.add(ident)
        ident = people.people[ident].deputy_at(at)
