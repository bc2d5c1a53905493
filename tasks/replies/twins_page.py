"""The page on which marketing says whether two leads are one person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements import presence
from agreements.errors import LinkInvalid
from agreements.lifecycle import Stage
from agreements.roster import Roster
from agreements.words import NoWord
from storage import devices, handoffs, roster, twin_pairs
from storage.tables import Activity, Lead, Level, TwinPair
from tasks.replies.link_life import require_good
from tasks.replies.opened_link import OpenedLink
from tasks.steps import merging

#: The list shows so many pairs.
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Pair:
    """Two leads that may be one person, as a line of the list. why: in words."""

    ident: str
    name: str
    company: str
    why: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two leads. since: aware; activities: how many; stage: empty where no handoff has begun."""

    number: int
    name: str
    email: str
    phone: str
    company: str
    job_title: str
    since: datetime
    activities: int
    stage: Stage | NoWord


@dataclass(frozen=True, slots=True)
class TwinsVisit:
    """The content of the page. reader: marketing's person; zone: theirs; sides: the earlier lead first.

    settled: empty while nobody has said anything, else `merged` or `apart`. level: of the browser: "", "known" or "enrolled".
    """

    reader: str
    zone: str
    sides: tuple[Side, ...]
    why: str
    settled: str
    level: Level | NoWord


def perhaps_one_person(session: Session, people: Roster, ident: str, *, now: datetime) -> list[Pair]:
    """Return the pairs that this person may say something about, the newest first: marketing's people, and whoever stands in."""
    return [_line(session, one) for one in twin_pairs.open_pairs(session, limit=SHOWN)] if presence.is_marketing(people, ident, now) else []


def visit(session: Session, link: OpenedLink, pair: tuple[int, int], *, now: datetime, device: str) -> TwinsVisit:
    """Return the content of the page. Reads only. Raises LinkInvalid, also for somebody who is not of marketing."""
    ident, people, row = _place(session, link, pair, now=now)
    reader, leads = people.people[ident], [_lead(session, one) for one in (row.other_id, row.lead_id)]
    merged = "merged" if any(one.merged_into for one in leads) else ""
    return TwinsVisit(
        reader=reader.name,
        zone=reader.timezone,
        sides=tuple(_side(session, one) for one in leads),
        why=row.why,
        settled=row.settled or merged,
        level=devices.level(session, device, ident, now=now),
    )


def merge(session: Session, link: OpenedLink, pair: tuple[int, int], *, into: int, now: datetime) -> None:
    """Merge the other lead of the pair into this one. Call inside a write transaction. A second call changes nothing.

    Raises LinkInvalid; CannotMerge.
    """
    ident, _, row = _place(session, link, pair, now=now)
    if row.settled:
        return
    ends = row.lead_id if into == row.other_id else row.other_id
    merging.merge(session, ends, into, by=ident, now=now)
    twin_pairs.settle(session, row, "merged", by=ident, now=now)


def tell_apart(session: Session, link: OpenedLink, pair: tuple[int, int], *, now: datetime) -> None:
    """Note that the two leads are two people. Call inside a write transaction. Raises LinkInvalid; SamePerson if they are merged."""
    ident, _, row = _place(session, link, pair, now=now)
    if not row.settled:
        twin_pairs.tell_apart(session, row.lead_id, row.other_id, by=ident, now=now)


def _place(session: Session, link: OpenedLink, pair: tuple[int, int], *, now: datetime) -> tuple[str, Roster, TwinPair]:
    own, people = link.links.read_person(link.token), roster.current(session)
    require_good(session, people, own.person, own.at, now=now, opens_many=True)
    row = twin_pairs.get(session, *pair)
    if row is None or not presence.is_marketing(people, own.person, now):
        raise LinkInvalid()
    return own.person, people, row


def _lead(session: Session, ident: int) -> Lead:
    lead = session.get(Lead, ident)
    assert lead is not None, "a pair names leads: the foreign keys say so"
    return lead


def _line(session: Session, row: TwinPair) -> Pair:
    lead = _lead(session, row.lead_id)
    return Pair(f"{row.lead_id}-{row.other_id}", _name(lead), lead.company, row.why)


def _side(session: Session, lead: Lead) -> Side:
    latest = handoffs.latest_of(session, lead.id)
    did = session.exec(select(func.count()).select_from(Activity).where(col(Activity.lead_id) == lead.id)).one()
    stage: Stage | NoWord = latest.stage if latest else ""
    return Side(lead.id, _name(lead), lead.email, lead.phone, lead.company, lead.job_title, lead.created_at, did, stage)


def _name(lead: Lead) -> str:
    return " ".join(filter(None, (lead.first_name, lead.last_name))) or lead.email or f"lead {lead.id}"
