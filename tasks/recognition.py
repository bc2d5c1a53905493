"""Recognition: find the lead that a conversion is about. agreements/identity.py has the rule; this module looks up who is known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session

from agreements.changes import another_company
from agreements.identity import Shows, Who, shows
from agreements.lead import IncomingLead
from storage import activities, identity, linked
from storage.tables import Lead

#: new: nobody is known by this id or address. another: somebody else came under this id before.
#: The others: the lead to which it belongs; the same person at another company; the same person under another address.
As = Literal["new", "another", "known", "at-another-company", "at-another-address"]


@dataclass(frozen=True, slots=True)
class Recognised:
    """To whom a conversion belongs.

    lead: the lead, or the newest lead of the same person; None for a new person. named: the lead that the id or address names; it
    differs from `lead` where that one was merged. new_id: the id is unknown. own: the id is one of the named lead, so that its source
    may correct facts. ambiguous: several people came under this id, and nothing says which one this is. before: who came under this id
    first, where it is somebody else.
    """

    how: As
    lead: Lead | None = None
    named: Lead | None = None
    new_id: bool = False
    own: bool = False
    ambiguous: bool = False
    before: Lead | None = None


def recognise(session: Session, incoming: IncomingLead, *, now: datetime) -> Recognised:
    """Find whose conversion this is, and lock the leads in question until the transaction ends.

    A personal address decides. Otherwise the id decides, as long as nothing contradicts it.
    """
    under_id = [one for one in identity.came_under(session, incoming.source, incoming.source_id) if one.erased_at is None]
    by_address = identity.same_person(session, incoming.email)
    identity.lock_people(session, [*under_id, *([by_address] if by_address else [])])
    if by_address is not None:
        return _by_address(session, incoming, by_address, under_id, now)
    if not under_id:
        return Recognised("new", new_id=True)
    return _by_id(session, incoming, under_id, now)


def _by_address(session: Session, incoming: IncomingLead, found: Lead, under_id: list[Lead], now: datetime) -> Recognised:
    line = _line(session, found)
    theirs = any(identity.own_lead(session, one).id in {lead.id for lead in line} for one in under_id)
    named, here = _at_company(session, [one for one in line if one.mail_key in (found.mail_key, "")], incoming, now)
    return _known(session, named, here, under_id, before=under_id[0] if under_id and not theirs else None)


def _by_id(session: Session, incoming: IncomingLead, under_id: list[Lead], now: datetime) -> Recognised:
    told = Who(incoming.email, incoming.first_name, incoming.last_name)
    people: dict[Shows, list[list[Lead]]] = {"same": [], "moved": [], "another": []}
    for line in _people(session, under_id):
        found = {one.id: shows(Who(one.email, one.first_name, one.last_name), told) for one in line}
        best: Shows = next(kind for kind in people if kind in found.values())
        people[best].append([one for one in line if found[one.id] == best])
    if people["same"]:
        return _same(session, incoming, people["same"], under_id, now)
    if people["moved"]:
        last = people["moved"][0][-1]
        company = another_company((last.company, last.email), (incoming.company, incoming.email))
        how: As = "at-another-company" if company else "at-another-address"
        return Recognised(how, identity.stands_for(session, last), last, own=True)
    return Recognised("another", before=under_id[0])


def _same(session: Session, incoming: IncomingLead, people: list[list[Lead]], under_id: list[Lead], now: datetime) -> Recognised:
    """Choose among the people whom nothing contradicts: the one of this name if there is only one, else the first."""
    by_name = [line for line in people if incoming.last_name and any(one.last_name for one in line)]
    line = (by_name if len(by_name) == 1 else people)[0]
    ambiguous = len(people) > 1 and len(by_name) != 1
    named, here = _at_company(session, line, incoming, now)
    return _known(session, named, here, under_id, ambiguous=ambiguous)


def _known(
    session: Session, named: Lead, here: bool, under_id: list[Lead], *, ambiguous: bool = False, before: Lead | None = None
) -> Recognised:
    how: As = "known" if here else "at-another-company"
    own = named.id in {one.id for one in under_id}
    return Recognised(how, identity.stands_for(session, named), named, not under_id, own, ambiguous, before)


def _people(session: Session, leads: list[Lead]) -> list[list[Lead]]:
    """These leads, grouped by person: each person's leads at one company after another."""
    found: dict[int, list[Lead]] = {}
    for one in leads:
        line = _line(session, identity.own_lead(session, one))
        found.setdefault(line[0].id, line)
    return list(found.values())


def _line(session: Session, lead: Lead) -> list[Lead]:
    return [one for one in linked.line_of(session, lead) if one.erased_at is None and (one.merged_into is None or one.merged_by_hand)]


def _at_company(session: Session, line: list[Lead], incoming: IncomingLead, now: datetime) -> tuple[Lead, bool]:
    """This person's lead at the company that the conversion names; else the newest lead, and False: the person has moved."""
    done = [one for one in line if len(line) > 1 and activities.known(session, one, incoming, now=now)]
    here = [one for one in line if not another_company((one.company, one.email), (incoming.company, incoming.email))]
    return (done or here or line)[-1], bool(done or here)
