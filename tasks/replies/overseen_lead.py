"""One lead for people of marketing and for managers: where it is, where its time went, and what happened to it. Looking changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.errors import LinkInvalid, RosterError
from agreements.lifecycle import Stage
from agreements.roster import Roster
from agreements.where_time_went import TimeParty, summed, where_time_went
from agreements.words import NoWord
from notifications.links import Links
from storage import devices, handoffs, lives, roster
from storage.tables import Handoff, Level
from tasks.messages import lead_view
from tasks.replies.lead_overview import oversees
from tasks.replies.link_life import require_good
from tasks.replies.opened_link import OpenedLink

#: So many events are shown, the newest ones.
EVENTS_AT_MOST = 60
#: The part of the address of all open leads, behind the person's link; behind it comes the number of a lead.
LEADS: Final = "leads"
#: The address below which each lead has one address for everybody, which opens the lead only in its reader's own browser.
IN_OWN_BROWSER: Final = f"me/{LEADS}"


@dataclass(frozen=True, slots=True)
class OverseenLead:
    """The content of the page. company, person, timeline: empty unless the browser is the reader's. time_parts: the lead's age so far.

    level: of the browser for the reader: "", "known" or "enrolled". timeline: aware instants and sentences, oldest first.
    """

    reader: str
    zone: str
    now: datetime
    level: Level | NoWord
    number: int
    company: str
    person: str
    stage: Stage
    tier: str
    rep: str
    agreement: str
    campaign: str
    timeline: tuple[tuple[datetime, str], ...]
    time_parts: Mapping[TimeParty, timedelta]


def overseen_lead(session: Session, link: OpenedLink, number: int, *, now: datetime, device: str) -> OverseenLead:
    """Return this lead as the reader of the link may see it. Reads only. number: of the lead. device: hash of the browser.

    Raises LinkInvalid, also for a lead that is not there or that this person does not oversee; LinkOver.
    """
    own, people = link.links.read_person(link.token), roster.current(session)
    require_good(session, people, own.person, own.at, now=now, opens_many=True)
    handoff = handoffs.latest_of(session, number)
    if handoff is None or not _may_see(people, own.person, handoff, now):
        raise LinkInvalid()
    level, reader = devices.level(session, device, own.person, now=now), people.people[own.person]
    lead = handoffs.lead_of(session, handoff)
    (life,) = lives.of(session, [number])
    return OverseenLead(
        reader=reader.name,
        zone=reader.timezone,
        now=now,
        level=level,
        number=number,
        company=lead.company if level else "",
        person=f"{lead.first_name} {lead.last_name}".strip() if level else "",
        stage=Stage(handoff.stage),
        tier=handoff.tier,
        rep=people.name_of(handoff.rep) if handoff.rep else "",
        agreement=f"{handoff.agreement}@{handoff.version}" if handoff.agreement else "",
        campaign=lead.campaign,
        timeline=tuple(lead_view.timeline(session, number, people=people)[-EVENTS_AT_MOST:]) if level else (),
        time_parts=summed(where_time_went(life, now=now)),
    )


def overview_link(session: Session, links: Links, address: str, *, now: datetime) -> str:
    """Return the link to all open leads for the person with this address; empty for somebody who oversees nobody, or whom nobody knows."""
    with suppress(RosterError):
        people = roster.current(session)
        for ident, person in people.people.items():
            if address and person.email.casefold() == address.casefold() and oversees(people, ident, now):
                return f"{links.for_person(ident, at=now)}/{LEADS}"
    return ""


def link_in_own_browser(session: Session, links: Links, number: int, *, now: datetime, device: str) -> str:
    """Return the reader's link to the page of this lead; empty where the browser is not remembered as that of somebody who oversees it.

    Reads only. A browser that is only known gets none: its links end after two days. number: of the lead. device: hash of the browser.
    """
    own = devices.people_of(session, device, now=now, level=devices.ENROLLED)
    handoff = handoffs.latest_of(session, number) if own else None
    if handoff is None:
        return ""
    people = roster.current(session)
    readers = (one for one in own if people.person(one) and _may_see(people, one, handoff, now))
    return next((f"{links.for_person(one, at=now)}/{LEADS}/{number}" for one in readers), "")


def _may_see(people: Roster, person: str, handoff: Handoff, now: datetime) -> bool:
    """Marketing sees every lead, a manager those that are with the manager's people now, or were with them at the end."""
    side = oversees(people, person, now)
    if side != "manager":
        return side == "marketing"
    rep = handoff.rep
    return bool(rep) and (rep == person or (rep in people.people and presence.decides_for(people, person, rep, now)))
