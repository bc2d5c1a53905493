"""Identity: the key that identifies a person. All processes take in one person's inquiries one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from agreements.lead import IncomingLead, mail_key
from storage import locks
from storage.tables import Lead, LeadSource

T = TypeVar("T")

#: Mailboxes that several people read: two leads with the same one are not the same person.
ROLE_MAILBOXES = frozenset(
    """
    info sales contact office admin hello mail enquiries support team service marketing hr accounts
    """.split()
)


def person_key(email: str) -> str:
    """The mail key that identifies one person; empty for no address, and for a mailbox that several people read."""
    key = mail_key(email)
    return "" if key.partition("@")[0] in ROLE_MAILBOXES else key


def free_key(session: Session, email: str) -> str:
    """The person key of this address for a lead that takes it; empty where another lead has it already."""
    key = person_key(email)
    return "" if key and session.exec(select(Lead.id).where(*_has(key))).first() is not None else key


def same_person(session: Session, email: str) -> Lead | None:
    """The newest unmerged lead with this address, None where the address does not identify one person."""
    key = person_key(email)
    if not key:
        return None
    query = select(Lead).where(Lead.mail_key == key, col(Lead.merged_into).is_(None))
    return session.exec(query.order_by(col(Lead.id).desc()).limit(1)).first()


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
    session.flush()


def lock_person(session: Session, lead: Lead) -> Lead:
    """The lead as it is now. Nobody else takes in anything for this person until the transaction ends.

    Locks the lead and those that it is linked to, back to the person's first one, which is locked first.
    """
    line = [lead]
    while line[-1].linked_to and (before := session.get(Lead, line[-1].linked_to)):
        line.append(before)
    these = select(Lead).where(col(Lead.id).in_([one.id for one in line])).order_by(col(Lead.id))
    session.exec(these.with_for_update(key_share=True).execution_options(populate_existing=True)).all()
    return lead


def again_if_taken(write: Callable[[], T]) -> T:
    """The result of write(), which is one whole transaction; runs it once more where another one stored the same key first.

    The second transaction usually waits in reserve() and then sees the first one's rows. The unique keys hold in any case.
    """
    try:
        return write()
    except IntegrityError:
        return write()
