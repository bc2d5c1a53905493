"""Identity: the key that identifies a person. All processes take in one person's inquiries one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import delete, literal, or_, union_all
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from agreements.identity import personal_key as person_key
from agreements.lead import IncomingLead
from storage import locks
from storage.tables import Lead, LeadSource, SharedSource

__all__ = [
    "again_if_taken",
    "came_under",
    "forget",
    "free_key",
    "lock_people",
    "lock_person",
    "own_lead",
    "person_key",
    "reserve",
    "reserve_known",
    "same_person",
    "share",
    "stands_for",
]

T = TypeVar("T")


def free_key(session: Session, email: str) -> str:
    """The person key of this address for a lead that takes it; empty where another lead has it already."""
    key = person_key(email)
    return "" if key and session.exec(select(Lead.id).where(*_has(key))).first() is not None else key


def same_person(session: Session, email: str) -> Lead | None:
    """The newest lead with this address that is itself or was merged by hand; None where the address does not identify one person."""
    key = person_key(email)
    if not key:
        return None
    query = select(Lead).where(Lead.mail_key == key, or_(col(Lead.merged_into).is_(None), col(Lead.merged_by_hand).is_(True)))
    return session.exec(query.order_by(col(Lead.id).desc()).limit(1)).first()


def stands_for(session: Session, lead: Lead) -> Lead:
    """The lead that this one was merged into, the lead itself where it was not."""
    while lead.merged_into and (other := session.get(Lead, lead.merged_into)):
        lead = other
    return lead


def own_lead(session: Session, lead: Lead) -> Lead:
    """The lead of this very address: the one that a lead was merged into by itself, without those that somebody merged by hand."""
    while lead.merged_into and not lead.merged_by_hand and (other := session.get(Lead, lead.merged_into)):
        lead = other
    return lead


def came_under(session: Session, source: str, source_id: str) -> list[Lead]:
    """The leads that came under this id of the source, as they were stored: the one that the id names first, then further people."""
    first = select(LeadSource.lead_id, literal(0)).where(LeadSource.source == source, LeadSource.source_id == source_id)
    further = select(SharedSource.lead_id, literal(1)).where(SharedSource.source == source, SharedSource.source_id == source_id)
    ids = [lead_id for _, lead_id in sorted((place, lead_id) for lead_id, place in session.execute(union_all(first, further)))]
    return [lead for one in dict.fromkeys(ids) if (lead := session.get(Lead, one))]


def share(session: Session, incoming: IncomingLead, lead: Lead) -> bool:
    """Stores that this lead, too, came under the id of the conversion. Returns whether that is new."""
    key = (incoming.source, incoming.source_id, lead.id)
    if session.get(SharedSource, key) is not None:
        return False
    session.add(SharedSource(source=incoming.source, source_id=incoming.source_id, lead_id=lead.id))
    session.flush()
    return True


def _has(key: str) -> tuple[bool, bool]:
    # The second condition repeats that of the index: SQLite uses a partial index only where the query has its condition.
    return Lead.person_key == key, Lead.person_key != ""


def reserve(session: Session, inquiries: Iterable[IncomingLead]) -> None:
    """Keeps all others from taking in these ids and addresses until this transaction ends; waits for transactions that do so now.

    Call it once a transaction, for all inquiries at once and before any look-up: it locks the keys in one order, so two transactions never
    wait for each other. SQLite has one writer at a time and needs no lock.
    """
    locks.take(session, (name for one in inquiries for name in _names(one)))


def _names(one: IncomingLead) -> list[str]:
    key = person_key(one.email)
    return [f"source {one.source}\n{one.source_id}", *([f"person {key}"] if key else [])]


def reserve_known(session: Session, leads: Iterable[Lead]) -> None:
    """Reserves all ids and addresses of these leads in the same way, before they are cleared."""
    known = list(leads)
    sources = session.exec(select(LeadSource).where(col(LeadSource.lead_id).in_([one.id for one in known]))).all()
    names = [f"source {one.source}\n{one.source_id}" for one in sources]
    locks.take(session, [*names, *(f"person {key}" for one in known if (key := person_key(one.email)))])


def forget(session: Session, leads: Iterable[Lead]) -> None:
    """Removes the keys of these leads, so that nobody is recognised as one of them: anyone who comes from now on is new."""
    for lead in leads:
        lead.mail_key = lead.person_key = ""
        session.add(lead)
        session.execute(delete(LeadSource).where(col(LeadSource.lead_id) == lead.id))
        session.execute(delete(SharedSource).where(col(SharedSource.lead_id) == lead.id))
    session.flush()


def lock_person(session: Session, lead: Lead) -> Lead:
    """The lead as it is now. Nobody else takes in anything for this person until the transaction ends.

    Locks the lead and those that it is linked to, back to the person's first one, which is locked first.
    """
    lock_people(session, [lead])
    return lead


def lock_people(session: Session, leads: Iterable[Lead]) -> None:
    """Locks these leads in the same way, with those that they were merged into and those that they are linked to."""
    found: dict[int, Lead] = {}
    following = list(leads)
    while following:
        one = following.pop()
        if one.id not in found:
            found[one.id] = one
            following += [near for ident in (one.linked_to, one.merged_into) if ident and (near := session.get(Lead, ident))]
    if found:
        these = select(Lead).where(col(Lead.id).in_(found)).order_by(col(Lead.id))
        session.exec(these.with_for_update(key_share=True).execution_options(populate_existing=True)).all()


def again_if_taken(write: Callable[[], T]) -> T:
    """The result of write(), which is one whole transaction; runs it once more where another one stored the same key first.

    The second transaction usually waits in reserve() and then sees the first one's rows. The unique keys hold in any case.
    """
    try:
        return write()
    except IntegrityError:
        return write()
