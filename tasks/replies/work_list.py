"""Work lists: every open task that one person has or may answer, with its due time and its link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from agreements import presence
from agreements.lifecycle import Stage
from agreements.roster import Roster
from notifications.links import Links
from storage import handoffs, offers, roster, waits
from storage.tables import Assignment, Handoff, Wait
from tasks.choices import DUTIES, rep_choices
from tasks.clock_inputs import NO_CLOCK
from tasks.steps.remind import OWED


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a list. due_at: aware, None if no clock runs; link: to the page that takes the answer; own: the reader's task."""

    lead: int
    company: str
    stage: Stage
    holder: str
    owed: str
    due_at: datetime | None
    link: str
    own: bool = True


def own_list(session: Session, links: Links, person: str, *, now: datetime) -> list[Row]:
    """Return the open leads and other open tasks of this person, the most urgent first."""
    people = roster.current(session)
    rows = []
    for tenure in _tenures(session, person):
        handoff, wait = handoffs.get(session, tenure.handoff_id), waits.open_of(session, tenure.handoff_id)
        rows.append(_row(session, people, handoff, wait, links.for_tenure(tenure.id, at=now)))
    for offer in offers.open_to(session, person):
        handoff, wait = handoffs.get(session, offer.handoff_id), waits.open_of(session, offer.handoff_id)
        rows.append(_row(session, people, handoff, wait, links.for_tenure(offer.id, at=now)))
    for wait in _open_waits(session, [person]):
        if wait.kind in DUTIES:
            rows.append(_row(session, people, handoffs.get(session, wait.handoff_id), wait, links.for_duty(wait.id, person, at=now)))
    return sorted(rows, key=_urgency)


def list_for(session: Session, manager: str, *, token: str, folder: str, now: datetime) -> list[Row]:
    """Return every open wait that this manager may answer for their teams or themselves, the most urgent first.

    Whoever stands in for a manager who is away sees the waits of that manager's teams. token: of the link to the manager's own
    page; folder: the path of such pages.
    """
    people = roster.current(session)
    holders = [ident for ident in people.people if ident == manager or presence.decides_for(people, manager, ident, now)]
    rows = []
    for wait in [*_open_waits(session, holders), *_asked_at_once(session, holders)]:
        handoff = handoffs.get(session, wait.handoff_id)
        if wait.kind in DUTIES or rep_choices(handoffs.agreement_of(session, handoff), handoff, wait):
            rows.append(_row(session, people, handoff, wait, f"{folder}/{token}/{wait.id}", own=wait.holder == manager))
    return sorted(rows, key=_urgency)


def _tenures(session: Session, person: str) -> list[Assignment]:
    query = select(Assignment).join(Handoff, col(Handoff.id) == col(Assignment.handoff_id))
    query = query.where(Assignment.rep == person, col(Assignment.ended_at).is_(None), col(Handoff.ended_at).is_(None))
    return list(session.exec(query.order_by(col(Assignment.assigned_at))))


def _open_waits(session: Session, holders: Iterable[str]) -> list[Wait]:
    query = select(Wait).where(col(Wait.holder).in_(list(holders)), col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    return list(session.exec(query.order_by(col(Wait.due_at))))


def _asked_at_once(session: Session, reps: Iterable[str]) -> list[Wait]:
    """The waits for the first of several reps to accept, where any of these reps is asked."""
    of_them = (col(Wait.assignment_id).in_(offers.open_with(session, reps)), Wait.kind == "acceptance")
    return list(session.exec(select(Wait).where(*of_them, col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))))


def _row(session: Session, people: Roster, handoff: Handoff, wait: Wait | None, link: str, *, own: bool = True) -> Row:
    lead = handoffs.lead_of(session, handoff)
    waits_for = wait if wait is not None and wait.answer_id is None else None
    owed = OWED.get(waits_for.kind, "") if waits_for else ""
    due = waits_for.due_at if waits_for and waits_for.about != NO_CLOCK else None
    holder = people.name_of(waits_for.holder if waits_for else handoff.owner)
    return Row(handoff.lead_id, lead.company, handoff.stage, holder, owed, due, link, own)


def _urgency(row: Row) -> tuple[bool, float, int]:
    return row.due_at is None, row.due_at.timestamp() if row.due_at else 0.0, row.lead
