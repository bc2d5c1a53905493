"""Erasing: delete a person at their request. The request is stored first, so any process can finish it after an interruption."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from agreements.lifecycle import Stage
from notifications.letter import Context, LeadView
from storage import chores, clearing, contracts, deliveries, erased, handoffs, identity, linked, offers, retention, roster
from storage.clearing import GOODBYE, Person
from storage.tables import Delivery, DeliveryState, Erasure, Event, Handoff, Lead
from tasks.erasure import clearing as clear_tasks
from tasks.erasure import traces
from tasks.erasure.traces import Found
from tasks.messages import lead_context
from tasks.messages.drafts import Draft
from tasks.wiring.toolbox import Toolbox

_WHAT = "The person asked for this lead to be erased. Please delete your own notes about the lead, and do not contact the person again."


class NoSuchLead(HandoffError):  # noqa: N818 - errors here are named as states
    """There is no lead of that number."""


class ReasonNamesPerson(HandoffError):  # noqa: N818
    """The reason names the person. Write it without name, address and phone number: it is kept."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What erasing would do. leads: their numbers; linked: numbers of the same person's leads at other companies, which stay.

    open_handoff: the stage of the handoff that would end, empty for none; texts, unsent: counts; erased: it was done before.
    """

    leads: tuple[int, ...]
    linked: tuple[int, ...]
    open_handoff: str
    texts: int
    unsent: int
    erased: bool


@dataclass(slots=True)
class Receipt:
    """The record of an erasure, without any data of the person.

    deleted: rows by kind; at_prefect: rows deleted there; waiting: how many deletions wait for the Prefect server; files: changes
    to files of the home folder; remains: data that Baton cannot delete, each with whom to ask; is_done: nothing is left to do.
    """

    lead: int
    leads: list[int]
    linked: list[int]
    by: str
    reason: str
    asked_at: str
    done_at: str = ""
    deleted: dict[str, int] = field(default_factory=dict)
    at_prefect: dict[str, int] = field(default_factory=dict)
    waiting: int = 0
    files: dict[str, list[str]] = field(default_factory=dict)
    remains: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether everything that Baton can delete is deleted."""
        return bool(self.done_at)

    def as_json(self) -> dict[str, Any]:
        """The receipt as a mapping for JSON."""
        return {**asdict(self), "is_done": self.is_done}


def look(session: Session, lead_id: int, *, now: datetime) -> Preview:
    """Return what erasing this lead would do. Changes nothing. Raises NoSuchLead."""
    person = _person(session, lead_id)
    leads = [session.get(Lead, one) for one in person.leads]
    rows = [row for one in person.handoffs if (row := session.get(Handoff, one))]
    stages = [row.stage for row in rows if handoffs.is_open(row) or row.stage == Stage.NURTURING]
    queued = select(func.count()).select_from(Delivery)
    queued = queued.where(col(Delivery.handoff_id).in_(person.handoffs), col(Delivery.state) == DeliveryState.QUEUED)
    done = all(lead is not None and lead.erased_at for lead in leads)
    texts = retention.texts_of(session, person)
    return Preview(person.leads, _linked(session, person), stages[0] if stages else "", texts, session.exec(queued).one(), done)


def ask(session: Session, lead_id: int, *, by: str, reason: str, now: datetime) -> Erasure:
    """Stores the request to erase this person and ends their handoffs. A second call returns the first request.

    From now on the intake refuses the person, no queued message goes out, and the rep is told. Call inside a write transaction.
    Raises NoSuchLead, ReasonNamesPerson.
    """
    person = _person(session, lead_id)
    leads = [lead for one in person.leads if (lead := session.get(Lead, one))]
    identity.reserve_known(session, leads)
    clearing.lock(session, person)
    if any(word.casefold() in reason.casefold() for word in traces.words_of(session, person)):
        raise ReasonNamesPerson()
    row = session.exec(select(Erasure).where(Erasure.lead_id == person.leads[0])).first()
    if row is not None and not _is_new_to(session, person):
        return row
    for handoff_id in person.handoffs:
        tenure = clear_tasks.end(session, handoff_id, actor=by, why="erased", now=now)
        if tenure is not None and deliveries.may_have_arrived(session, tenure.id):
            told = offers.people_of(session, tenure)
            copies = [deliveries.Copy(f"{tenure.id}:erased:email{f':{rep}' if rep != tenure.rep else ''}", "email", rep) for rep in told]
            deliveries.queue_copies(session, None, deliveries.Message(GOODBYE, context={"lead": tenure.lead_id}), copies, now=now)
    erased.remember(session, leads, now=now)
    identity.forget(session, leads)
    for lead in leads:
        lead.do_not_contact = True
        session.add(lead)
    clear_tasks.ask_prefect(session, person, now=now)
    row = row or Erasure(lead_id=person.leads[0], by=by, reason=reason, asked_at=now)
    row.by, row.reason, row.asked_at, row.cleared_at, row.done_at = by, reason, now, None, None
    session.add(row)
    session.flush()
    return row


def _is_new_to(session: Session, person: Person) -> bool:
    """Whether data of this person was stored after their erasure, for example by a later lead that was merged into theirs."""
    return any((lead := session.get(Lead, one)) and lead.erased_at is None for one in person.leads) and not _is_under_way(session, person)


def _is_under_way(session: Session, person: Person) -> bool:
    query = select(Erasure.id).where(Erasure.lead_id == person.leads[0], col(Erasure.done_at).is_(None))
    return session.exec(query).first() is not None


def under_way(session: Session) -> list[tuple[int, datetime]]:
    """Return the leads of unfinished erasures, oldest first, each with the time of its request."""
    query = select(Erasure.lead_id, Erasure.asked_at).where(col(Erasure.done_at).is_(None)).order_by(col(Erasure.id))
    return list(session.exec(query))


async def clear(box: Toolbox, lead_id: int) -> tuple[frozenset[str], Found]:
    """Deletes the person from Baton's database, its own CRM file and the home folder. A second call changes nothing more.

    Returns the words that identify the person, empty if an earlier call has deleted them, and the changes to files.
    """
    person = await box.read(lambda session, now: _person(session, lead_id))
    words = await box.read(lambda session, now: traces.words_of(session, person))
    found = await asyncio.to_thread(traces.clean, box.settings.folder, words)

    def note(session: Session, now: datetime, counts: dict[str, int]) -> None:
        row = session.exec(select(Erasure).where(Erasure.lead_id == person.leads[0])).one()
        row.deleted = dict(Counter(row.deleted) + Counter(counts))
        if not counts and row.cleared_at is None:
            row.cleared_at = now
            clearing.record(session, person, row.deleted, why="asked", actor=row.by, now=now)
        session.add(row)

    cleared = await clear_tasks.clear(box, person, note)
    if of_crm := {name: count for name, count in cleared.items() if name == "rows of the CRM"}:
        await box.write(lambda session, now: note(session, now, of_crm))
    return words, found


async def close(box: Toolbox, lead_id: int, words: frozenset[str], found: Found, at_prefect: dict[str, int]) -> Receipt:
    """Removes deleted data from the bytes of the files, and returns the receipt.

    The erasure is done when no deletion waits for the Prefect server any more.
    """
    left = await clear_tasks.scrub_files(box, words or None)
    left += [f"The file {name} in the home folder holds the person: look at it, and delete it." for name in found.left]
    waiting = await box.read(lambda session, now: chores.count(session))

    def finish(session: Session, now: datetime) -> Receipt:
        person = _person(session, lead_id)
        row = session.exec(select(Erasure).where(Erasure.lead_id == person.leads[0])).one()
        if not waiting and row.cleared_at is not None and row.done_at is None:
            row.done_at = now
            session.add(row)
        return _receipt(session, box, person, row, waiting)

    receipt = await box.write(finish)
    receipt.at_prefect, receipt.remains = at_prefect, left + receipt.remains
    receipt.files = {"deleted": found.deleted, "changed": found.changed, "left": found.left}
    return receipt


def _receipt(session: Session, box: Toolbox, person: Person, row: Erasure, waiting: int) -> Receipt:
    return Receipt(
        lead=row.lead_id,
        leads=list(person.leads),
        linked=list(_linked(session, person)),
        by=row.by,
        reason=row.reason,
        asked_at=row.asked_at.isoformat(),
        done_at=row.done_at.isoformat() if row.done_at else "",
        deleted=dict(row.deleted),
        waiting=waiting,
        remains=_remains(session, box, person),
    )


def _remains(session: Session, box: Toolbox, person: Person) -> list[str]:
    """The data that Baton cannot delete, and whom to ask."""
    people, said = roster.current(session), []
    gone = (DeliveryState.SENT, DeliveryState.CONFIRMED, DeliveryState.UNKNOWN, DeliveryState.BOUNCED)
    theirs = select(Delivery).where(col(Delivery.handoff_id).in_(person.handoffs), col(Delivery.state).in_(gone))
    sent: dict[str, set[str]] = {}
    for row in session.exec(theirs):
        sent.setdefault(row.channel, set()).add(people.name_of(row.person))
    for channel, names in sorted(sent.items()):
        if channel != "crm":
            said.append(
                f"Messages that went out by {channel}: ask {', '.join(sorted(names))} and the operator of that channel to delete them."
            )
    if box.crm.keeps:
        said.append(f"The CRM ({box.crm.name}): {box.crm.keeps} {', '.join(map(str, person.leads))}.")
    events = select(func.count()).select_from(Event).where(col(Event.lead_id).in_(person.leads))
    ends = max((contracts.read(row).retention.trail.days for row in contracts.all_of(session)), default=0)
    said.append(f"{session.exec(events).one()} events of the trail: codes and digests, without a name or a word; kept for {ends} days.")
    said.append("Prefect's event feed names the company until its retention ends (PREFECT_SERVER_EVENTS_RETENTION_PERIOD, 7 days).")
    if not box.database.is_sqlite:
        said.append("PostgreSQL keeps deleted rows until it needs their space: run VACUUM, and let old copies and logs expire.")
    said.append("Earlier backups: delete them, or let them expire.")
    return said


def letter(session: Session, row: Delivery) -> Draft:
    """Return the draft that tells the rep that a lead was erased. Names only the rep. Raises KeyError for an unknown rep."""
    to = lead_context.recipient(roster.current(session), row.person)
    lead = LeadView(number=int(row.context["lead"]), company="An erased lead", person="", stage=Stage.ERASED)
    return Draft("told", Context(to=to, lead=lead, what=_WHAT), row.key, f"erased-{row.id}")


def _person(session: Session, lead_id: int) -> Person:
    person = clearing.person_of(session, lead_id)
    if not person.leads:
        raise NoSuchLead()
    return person


def _linked(session: Session, person: Person) -> tuple[int, ...]:
    lead = session.get(Lead, person.leads[0])
    line = linked.line_of(session, lead) if lead is not None else []
    return tuple(one.id for one in line if one.id not in person.leads and one.erased_at is None)
