"""Deletes everything personal about a lead, a few rows in each transaction. What happened stays, as codes and digests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, or_
from sqlmodel import Session, SQLModel, col, select

from storage import handoffs, kept_payloads, trail
from storage.database import ROWS_AT_ONCE
from storage.tables import (
    Activity,
    Answer,
    Assignment,
    Consent,
    CrmChange,
    CrmValue,
    Delivery,
    DeliveryState,
    DigestItem,
    Enrolment,
    Handoff,
    HandoffNote,
    Lead,
    LeadSource,
    LeadValues,
    Opportunity,
    PersonalText,
    SharedSource,
    TwinPair,
    Wait,
)

#: The parts of an answer that are codes of the agreement or ids of people in the roster. Everything else is deleted.
CODES = frozenset({"reason", "note_wrong", "choice", "channel", "colleague", "claimed", "refused", "left", "asked", "all_declined"})
#: The columns of a lead that say nothing about the person.
_KEPT_OF_LEAD = frozenset(
    {"id", "entry_channel", "merged_into", "merged_by_hand", "linked_to", "last_touch_at", "created_at", "do_not_contact", "erased_at"}
)
#: Replaces the text in a row that stays only so that its number is not given to another text.
PLACEHOLDER = "(erased)"


@dataclass(frozen=True, slots=True)
class Person:
    """All leads that were merged into one, and their handoffs. leads: the one that the others were merged into comes first."""

    leads: tuple[int, ...]
    handoffs: tuple[int, ...]


def person_of(session: Session, lead_id: int) -> Person:
    """The person of this lead: the lead into which it was merged, and all others that were merged into the same one."""
    first = session.get(Lead, lead_id)
    while first is not None and first.merged_into:
        first = session.get(Lead, first.merged_into)
    found = [first.id] if first is not None else []
    for one in found:
        found += [ident or 0 for ident in session.exec(select(Lead.id).where(Lead.merged_into == one).order_by(col(Lead.id)))]
    theirs = session.exec(select(Handoff.id).where(col(Handoff.lead_id).in_(found)).order_by(col(Handoff.id)))
    return Person(tuple(found), tuple(ident or 0 for ident in theirs))


def clear_some(session: Session, person: Person, *, now: datetime, limit: int = ROWS_AT_ONCE) -> dict[str, int]:
    """Deletes up to `limit` rows of personal data. Returns how many of which kind, empty when nothing is left.

    The leads themselves come last: as long as one is not marked as erased, more rows may be left. Call it again and again, each time inside
    a write transaction. No handoff of this person may be open.
    """
    lock(session, person)
    cleared: dict[str, int] = {}
    for kind, clear in _PARTS.items():
        room = limit - sum(cleared.values())
        if room <= 0:
            return cleared
        if count := clear(session, person, room, now):
            cleared[kind] = count
    return cleared


def lock(session: Session, person: Person) -> None:
    """Keeps every other transaction from changing or clearing this person until this one ends."""
    these = select(Lead).where(col(Lead.id).in_(person.leads)).order_by(col(Lead.id))
    session.exec(these.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def _texts(session: Session, person: Person, room: int, now: datetime) -> int:
    ids = [ident or 0 for ident in session.exec(select(PersonalText.id).where(col(PersonalText.lead_id).in_(person.leads)).limit(room))]
    erase_texts(session, ids)
    return len(ids)


def erase_texts(session: Session, ids: Sequence[int]) -> None:
    """Deletes what was written. A number is never given to another text: the trail names a text by its number."""
    if not ids:
        return
    newest = session.exec(select(func.max(PersonalText.id))).one()
    if newest in ids:
        session.add(PersonalText(text=PLACEHOLDER))
        session.flush()
    session.execute(delete(PersonalText).where(col(PersonalText.id).in_(ids)))


def _rows_of(table: type[SQLModel], column: Any) -> Callable[[Session, Person, int, datetime], int]:
    """Makes a function that deletes rows of this table that belong to one of the leads."""

    def clear(session: Session, person: Person, room: int, now: datetime) -> int:
        rows = session.exec(select(table).where(column.in_(person.leads)).limit(room)).all()
        for row in rows:
            session.delete(row)
        session.flush()
        return len(rows)

    return clear


def _activities(session: Session, person: Person, room: int, now: datetime) -> int:
    query = select(Activity).where(col(Activity.lead_id).in_(person.leads), col(Activity.key).not_like("erased:%"))
    rows = session.exec(query.limit(room)).all()
    for row in rows:
        row.key, row.path, row.campaign = f"erased:{row.id}", "", ""
        session.add(row)
    return len(rows)


def _answers(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = session.exec(select(Answer).where(col(Answer.handoff_id).in_(person.handoffs)).order_by(col(Answer.id)))
    rest = [row for row in rows if not CODES.issuperset(row.data)][:room]
    for row in rest:
        row.data = {name: value for name, value in row.data.items() if name in CODES}
        session.add(row)
    return len(rest)


def _enrolments(session: Session, person: Person, room: int, now: datetime) -> int:
    """Deletes what the marketing automation said, which may name the person. That the lead was to be in a track stays."""
    rows = session.exec(select(Enrolment).where(col(Enrolment.lead_id).in_(person.leads)).order_by(col(Enrolment.id)))
    rest = [row for row in rows if row.proof or row.error][:room]
    for row in rest:
        row.proof, row.error = "", ""
        session.add(row)
    return len(rest)


def _notes(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = [row for row in session.exec(select(HandoffNote).where(col(HandoffNote.handoff_id).in_(person.handoffs))) if row.content]
    for row in rows[:room]:
        row.content = {}
        session.add(row)
    return len(rows[:room])


def _messages(session: Session, person: Person, room: int, now: datetime) -> int:
    """Clears the content of kept messages, personal messages about their handoffs included. Cancels unsent ones."""
    tenures = select(Assignment.id).where(col(Assignment.handoff_id).in_(person.handoffs))
    answers = select(Answer.id).where(col(Answer.handoff_id).in_(person.handoffs))
    theirs = or_(
        col(Delivery.handoff_id).in_(person.handoffs), col(Delivery.assignment_id).in_(tenures), col(Delivery.answer_id).in_(answers)
    )
    personal = select(Delivery).where(col(Delivery.handoff_id).is_(None), Delivery.message == "answered-for-you")
    naming = [row for row in session.exec(personal) if row.context.get("handoff_id") in person.handoffs]
    rows = {row.id: row for row in [*session.exec(select(Delivery).where(theirs)), *naming] if row.message != GOODBYE}
    rest = [row for row in rows.values() if row.context or row.error or row.state == DeliveryState.QUEUED][:room]
    for row in rest:
        row.context, row.error = {}, ""
        if row.state == DeliveryState.QUEUED:
            row.state = DeliveryState.CANCELLED
        session.add(row)
    return len(rest)


#: The only message about an erased lead that still goes out: it tells the rep that the lead was erased, and names nobody.
GOODBYE: Final = "erased"


def _digest_items(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = session.exec(select(DigestItem).where(col(DigestItem.handoff_id).in_(person.handoffs)).limit(room)).all()
    for row in rows:
        session.delete(row)
    session.flush()
    return len(rows)


def _remarks(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = session.exec(select(Wait).where(col(Wait.handoff_id).in_(person.handoffs), Wait.remark != "").limit(room)).all()
    for row in rows:
        row.remark = ""
        session.add(row)
    return len(rows)


def _accounts(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = [row for row in session.exec(select(Handoff).where(col(Handoff.id).in_(person.handoffs))) if row.account]
    for row in rows[:room]:
        row.account = {}
        session.add(row)
    return len(rows[:room])


def _crm_changes(session: Session, person: Person, room: int, now: datetime) -> int:
    rows = [row for row in session.exec(select(CrmChange).where(col(CrmChange.lead_id).in_(person.leads))) if row.details]
    for row in rows[:room]:
        row.details, row.taken_at = {}, row.taken_at or now
        session.add(row)
    return len(rows[:room])


def _opportunities(session: Session, person: Person, room: int, now: datetime) -> int:
    """Clears what people typed about an opportunity. Its amount and its end are figures and stay."""
    rows = [row for row in session.exec(select(Opportunity).where(col(Opportunity.lead_id).in_(person.leads))) if row.said or row.stalls_at]
    for row in rows[:room]:
        row.reason, row.said, row.faults, row.stalls_at = "", {}, {}, None
        session.add(row)
    return len(rows[:room])


def _leads(session: Session, person: Person, room: int, now: datetime) -> int:
    query = select(Lead).where(col(Lead.id).in_(person.leads), col(Lead.erased_at).is_(None)).order_by(col(Lead.id).desc())
    rows = session.exec(query.limit(room)).all()
    blank = Lead()
    for row in rows:
        for name in Lead.model_fields.keys() - _KEPT_OF_LEAD:
            setattr(row, name, getattr(blank, name))
        row.erased_at = now
        session.add(row)
    session.flush()
    return len(rows)


def _kept_payloads(session: Session, person: Person, room: int, now: datetime) -> int:
    """Deletes what came through an intake door with an address of this person and was never taken in."""
    theirs = session.exec(select(Lead.mail_key).where(col(Lead.id).in_(person.leads), Lead.mail_key != "")).all()
    return kept_payloads.remove_of(session, theirs, limit=room)


_PARTS: dict[str, Callable[[Session, Person, int, datetime], int]] = {
    "texts": _texts,
    "values": _rows_of(LeadValues, col(LeadValues.lead_id)),
    "consents": _rows_of(Consent, col(Consent.lead_id)),
    "ids at sources": _rows_of(LeadSource, col(LeadSource.lead_id)),
    "shared ids at sources": _rows_of(SharedSource, col(SharedSource.lead_id)),
    "likely twins": _rows_of(TwinPair, col(TwinPair.lead_id)),
    "leads that they are likely twins of": _rows_of(TwinPair, col(TwinPair.other_id)),
    "activities": _activities,
    "answers": _answers,
    "notes": _notes,
    "what was said about enrolments": _enrolments,
    "messages": _messages,
    "digest rows": _digest_items,
    "remarks": _remarks,
    "kept payloads": _kept_payloads,
    "facts of the company": _accounts,
    "values in the CRM": _rows_of(CrmValue, col(CrmValue.lead_id)),
    "changes in the CRM": _crm_changes,
    "opportunities": _opportunities,
    "leads": _leads,
}


def record(session: Session, person: Person, counts: dict[str, int], *, why: str, actor: str, now: datetime) -> None:
    """Records in the trail that a person was cleared. why: asked (at their wish) or retention; counts only, of rows by kind."""
    latest = handoffs.latest_of(session, person.leads[0])
    trail.record(session, "cleared", now=now, handoff=latest, lead_id=person.leads[0], actor=actor, why=why, deleted=counts)
