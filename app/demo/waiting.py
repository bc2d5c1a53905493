"""What waits when the demo's week is over, and the message and page with which the person answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from agreements.roster import Roster
from agreements.words import NoWord, WaitKind
from app.demo.inbox.inbox import Inbox
from app.demo.inbox.message import Received
from storage import contracts, disputes, roster
from storage.tables import AgreementVersion, Dispute, Handoff, Lead, SignatureRequest, Wait
from tasks.messages import lead_view

#: What may wait for somebody on the start page.
CaseKind = Literal["hot", "decision", "note", "dispute", "signature"]
#: What may wait, in the order of the start page, with the name of the wait in storage.
KINDS: Mapping[CaseKind, WaitKind | NoWord] = {"hot": "acceptance", "decision": "decision", "note": "note", "dispute": "", "signature": ""}
_PAGES = ("/l/", "/q/", "/sign/")


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that waits. lead_id: 0 for a signature; reference: name@version, for a signature only."""

    kind: CaseKind
    lead_id: int = 0
    company: str = ""
    dispute_id: int = 0
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Door:
    """How one person answers. page: the address in the message; message: its number in the inbox."""

    person: str
    page: str
    message: int


@dataclass(frozen=True, slots=True)
class Card:
    """A case in its present state. person: who has to act; due_at: aware, None where no clock runs; became: what happened last, in
    words, empty while the case waits; doors: none where the message has not arrived. following, following_at: the task that
    somebody has after that, in words, and when it is due (aware)."""

    case: Case
    person: str
    is_open: bool
    became: str
    due_at: datetime | None
    doors: tuple[Door, ...]
    following: str = ""
    following_at: datetime | None = None


def open_cases(session: Session, companies: Collection[str] = ()) -> tuple[Case, ...]:
    """Return one case of each kind that waits now: of these companies before others, then a hot lead, then the newest.

    A kind that nothing waits for is left out.
    """
    return tuple(case for kind in KINDS if (case := _open_case(session, kind, companies)))


def _open_case(session: Session, kind: CaseKind, companies: Collection[str]) -> Case | None:
    if kind == "signature":
        versions = (row for row in contracts.all_of(session) if row.deployed_at is None and _requests(session, row))
        found = next((row for row in versions if contracts.unsigned_parties(session, row)), None)
        return Case(kind, reference=contracts.reference_of(found)) if found else None
    if kind == "dispute":
        dispute = session.exec(select(Dispute).where(Dispute.ruling == "").order_by(col(Dispute.id).desc())).first()
        return Case(kind, dispute.lead_id, _company(session, dispute.lead_id), dispute.id) if dispute else None
    query = select(Lead).join(Handoff, col(Handoff.lead_id) == col(Lead.id)).join(Wait, col(Wait.handoff_id) == col(Handoff.id))
    query = query.where(Wait.kind == KINDS[kind], col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    order = (col(Lead.company).in_(companies).desc(), (col(Handoff.tier) == "hot").desc(), col(Wait.opened_at).desc())
    lead = session.exec(query.order_by(*order)).first()
    return Case(kind, lead.id, lead.company) if lead else None


def _company(session: Session, lead_id: int) -> str:
    lead = session.get(Lead, lead_id)
    return lead.company if lead else ""


def card_of(session: Session, case: Case, inbox: Inbox) -> Card:
    """Return the case in its present state. Reads only."""
    people = roster.current(session)
    if case.kind == "signature":
        return _signature(session, case, inbox)
    if case.kind == "dispute":
        return _dispute(session, case, inbox, people)
    query = select(Wait).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    query = query.where(Handoff.lead_id == case.lead_id, Wait.kind == KINDS[case.kind]).order_by(col(Wait.opened_at).desc())
    wait = session.exec(query).first()
    if wait is None:
        return Card(case, "", False, _last(session, case, people), None, ())
    key = f"{wait.assignment_id}:assigned:" if case.kind == "hot" else f"{wait.id}:"
    is_open = wait.closed_at is None and wait.answer_id is None
    doors = _doors(inbox, people.name_of(wait.holder), lambda mail: mail.key.startswith(key), _address(people, wait.holder))
    if is_open:
        return Card(case, people.name_of(wait.holder), True, "", wait.due_at, doors)
    card = Card(case, people.name_of(wait.holder), False, _last(session, case, people), None, doors)
    after = session.exec(_unanswered().where(Handoff.lead_id == case.lead_id)).first()
    if after is None or after.kind == "revisit":
        return card
    return replace(card, following=f"{after.kind.replace('_', ' ')} by {people.name_of(after.holder)}", following_at=after.due_at)


def _unanswered() -> SelectOfScalar[Wait]:
    query = select(Wait).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    return query.where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))


def _dispute(session: Session, case: Case, inbox: Inbox, people: Roster) -> Card:
    row = disputes.get(session, case.dispute_id)
    assert row is not None, "a dispute is never deleted"
    name, key = people.name_of(row.holder), f"dispute:{row.id}:raised:"
    doors = _doors(inbox, name, lambda mail: mail.key.startswith(key), _address(people, row.holder))
    is_open = row.ruling == ""
    became = "" if is_open else f"{'Overturned' if row.ruling == disputes.OVERTURNED else 'It stands'}"
    return Card(case, name, is_open, became, row.due_at if is_open else None, doors)


def _signature(session: Session, case: Case, inbox: Inbox) -> Card:
    name, _, version = case.reference.rpartition("@")
    row = contracts.get(session, name, int(version))
    unsigned = contracts.unsigned_parties(session, row)
    doors = tuple(
        door
        for asked in _requests(session, row)
        for door in _doors(inbox, f"{asked.party}: {asked.address}", lambda mail, key=asked.key: mail.key == key, asked.address)  # type: ignore[misc]
    )
    became = "" if unsigned else "Both parties have signed"
    return Card(case, "RevOps", bool(unsigned), became, None, doors)


def _requests(session: Session, row: AgreementVersion) -> list[SignatureRequest]:
    return list(session.exec(select(SignatureRequest).where(SignatureRequest.hash == row.hash).order_by(col(SignatureRequest.id))))


def _last(session: Session, case: Case, people: Roster) -> str:
    lines = lead_view.timeline(session, case.lead_id, people=people)
    return lines[-1][1] if lines else ""


def _address(people: Roster, ident: str) -> str:
    person = people.person(ident)
    return person.email if person else ""


def _doors(inbox: Inbox, person: str, is_it: Callable[[Received], bool], address: str) -> tuple[Door, ...]:
    mails = [mail for mail in inbox.messages(to=address) if is_it(mail)]
    for mail in reversed(mails):
        page = next((link for link in inbox.links(mail) if any(folder in link for folder in _PAGES)), "")
        if page:
            return (Door(person, page, mail.number),)
    return ()
