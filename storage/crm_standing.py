"""What Baton has of the leads and opportunities that are compared with the CRM, some hundred at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from agreements.crm_comparison import DealHere, LeadHere
from agreements.crm_words import OWNER
from agreements.errors import RosterError
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.roster import Person, Roster
from agreements.words import SEVERAL, MessageKind, OpportunityState
from storage import handoffs, roster
from storage.tables import Assignment, CrmChange, CrmValue, Delivery, DeliveryState, Handoff, Lead, Opportunity, Wait, Wake

#: A message to the CRM that is on its way.
_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING)
#: A message to the CRM that came to nothing, as far as Baton knows.
_IN_VAIN = (DeliveryState.FAILED, DeliveryState.UNKNOWN)

#: The messages to the CRM that say who has the lead.
_GIVES: tuple[MessageKind, ...] = ("assigned", "taken")


@dataclass(frozen=True, slots=True)
class LeadsHere:
    """Some leads, by the id of their newest handoff. moving: those that are not to be compared now, since something is under way.

    last: where the next ones begin, None behind the last of all.
    """

    leads: dict[int, LeadHere]
    moving: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class _Written:
    """What Baton has written to the CRM, by handoff. told: anything. given: who has the lead. under_way: not done yet. failures: why the
    newest message failed, empty if it did not."""

    told: set[int] = field(default_factory=set)
    given: set[int] = field(default_factory=set)
    under_way: set[int] = field(default_factory=set)
    failures: dict[int, str] = field(default_factory=dict)


def leads_after(session: Session, after: int, *, since: datetime, now: datetime, limit: int) -> LeadsHere:
    """Return the next leads whose newest handoff has a greater id and is open, or ended at `since` or later."""
    rows = _handoffs(session, col(Handoff.id) > after, or_(col(Handoff.ended_at).is_(None), col(Handoff.ended_at) >= since), limit=limit)
    found = _built(session, rows, now=now)
    return LeadsHere(found, len(rows) - len(found), rows[-1][0].id if len(rows) == limit else None)


def leads_of(session: Session, handoff_ids: Sequence[int], *, now: datetime) -> dict[int, LeadHere]:
    """Return the leads of these handoffs that are still their newest ones, without those for which something is under way."""
    return _built(session, _handoffs(session, col(Handoff.id).in_(handoff_ids), limit=len(handoff_ids)), now=now)


def opportunities_after(session: Session, after: int, *, since: datetime, limit: int) -> tuple[dict[int, DealHere], int | None]:
    """Return the next opportunities with a greater id that are open, or settled at `since` or later; and where the next ones begin."""
    wanted = (col(Opportunity.id) > after, or_(col(Opportunity.state) == OpportunityState.OPEN, col(Opportunity.settled_at) >= since))
    query = _opportunities().where(*wanted).order_by(col(Opportunity.id)).limit(limit)
    rows = list(session.exec(query))
    return _deals(session, rows), rows[-1][0].id if len(rows) == limit else None


def opportunities_of(session: Session, ids: Sequence[int]) -> dict[int, DealHere]:
    """Return these opportunities."""
    return _deals(session, list(session.exec(_opportunities().where(col(Opportunity.id).in_(ids)))))


def erased_or_unknown(session: Session, numbers: Collection[int]) -> dict[int, bool]:
    """Return which of these numbers belong to no lead of Baton; True for those of leads that were erased here."""
    rows = session.exec(select(Lead.id, Lead.erased_at).where(col(Lead.id).in_(numbers)))
    known = {number: erased_at is not None for number, erased_at in rows}
    return {number: known.get(number, False) for number in numbers if known.get(number, True)}


def _handoffs(session: Session, *wanted: ColumnElement[bool], limit: int) -> list[tuple[Handoff, str]]:
    """The newest handoffs of leads that are neither merged into another one nor erased, with the company."""
    later = aliased(Handoff)
    newest = ~exists().where(later.lead_id == Handoff.lead_id, later.id > Handoff.id)  # type: ignore[arg-type]
    alive = (col(Lead.merged_into).is_(None), col(Lead.erased_at).is_(None), Handoff.stage != Stage.MERGED)
    query = select(Handoff, Lead.company).join(Lead, col(Lead.id) == Handoff.lead_id).where(*wanted, newest, *alive)
    return [(row, company) for row, company in session.exec(query.order_by(col(Handoff.id)).limit(limit))]


def _built(session: Session, rows: Sequence[tuple[Handoff, str]], *, now: datetime) -> dict[int, LeadHere]:
    ids, leads = [row.id for row, _ in rows], [row.lead_id for row, _ in rows]
    written = _written(session, ids)
    moving = written.under_way | _moving(session, ids, now=now) | {row.id for row, _ in rows if row.lease_until is not None}
    unread = set(session.exec(select(CrmChange.lead_id).where(col(CrmChange.lead_id).in_(leads), col(CrmChange.taken_at).is_(None))))
    several = set(session.exec(select(Lead.merged_into).where(col(Lead.merged_into).in_(leads))))
    values: dict[int, dict[str, str]] = {}
    for lead, name, value in session.exec(select(CrmValue.lead_id, CrmValue.field, CrmValue.value).where(col(CrmValue.lead_id).in_(leads))):
        if lead not in several or name == OWNER:  # a value may be that of the other record, as which the CRM has a merged lead
            values.setdefault(lead, {})[name] = value
    with_rep = set(
        session.exec(select(Assignment.handoff_id).where(col(Assignment.handoff_id).in_(ids), col(Assignment.ended_at).is_(None)))
    )
    people, agreements = _people(session), _agreements(session, [row for row, _ in rows])
    return {
        row.id: _lead(
            row,
            company,
            values.get(row.lead_id, {}),
            person=people.person(row.rep) if people and row.id in with_rep and row.rep != SEVERAL else None,
            agreement=agreements.get((row.agreement, row.version)),
            written=written,
        )
        for row, company in rows
        if row.id not in moving and row.lead_id not in unread
    }


def _lead(
    row: Handoff, company: str, known: dict[str, str], *, person: Person | None, agreement: Agreement | None, written: _Written
) -> LeadHere:
    """person: who has the lead, None for nobody or several."""
    return LeadHere(
        number=row.lead_id,
        stage=Stage(row.stage),
        agreement=agreement,
        company=company,
        rep=row.rep if person else "",
        members=tuple(person.members) if person else (),
        told=row.id in written.told or OWNER in known,
        given=row.id in written.given,
        known={name: value for name, value in known.items() if name != OWNER},
        failure=written.failures.get(row.id, ""),
    )


def _agreements(session: Session, rows: Sequence[Handoff]) -> dict[tuple[str, int], Agreement]:
    """The agreements of these handoffs, each read once."""
    return {(row.agreement, row.version): handoffs.agreement_of(session, row) for row in _of_each_version(rows) if row.agreement}


def _of_each_version(rows: Sequence[Handoff]) -> Iterable[Handoff]:
    return {(row.agreement, row.version): row for row in rows}.values()


def _written(session: Session, ids: Sequence[int]) -> _Written:
    found = _Written()
    columns = select(Delivery.handoff_id, Delivery.message, Delivery.state, Delivery.error)
    wanted = (col(Delivery.handoff_id).in_(ids), Delivery.channel == "crm", Delivery.state != DeliveryState.CANCELLED)
    for handoff, message, state, error in session.exec(columns.where(*wanted).order_by(col(Delivery.id))):
        assert handoff is not None, "asked for by its handoff"
        found.told.add(handoff)
        if message in _GIVES:
            found.given.add(handoff)
        if state in _UNDER_WAY:
            found.under_way.add(handoff)
        found.failures[handoff] = (error or "nobody knows whether the CRM got it") if state in _IN_VAIN else ""
    return found


def _moving(session: Session, ids: Sequence[int], *, now: datetime) -> set[int]:
    """Return the handoffs with an answer that is not carried out yet, or with a wake that is due. A message to a person moves no lead."""
    answered = (col(Wait.closed_at).is_(None), col(Wait.answer_id).is_not(None))
    found = set(session.exec(select(Wait.handoff_id).where(col(Wait.handoff_id).in_(ids), *answered)))
    due = (col(Wake.not_before) <= now, Wake.kind != "speak")
    return found | set(session.exec(select(Wake.handoff_id).where(col(Wake.handoff_id).in_(ids), *due)))


def _people(session: Session) -> Roster | None:
    try:
        return roster.current(session)
    except RosterError:
        return None


def _opportunities() -> Any:
    return select(Opportunity, Lead.company).join(Lead, col(Lead.id) == Opportunity.lead_id).where(col(Lead.erased_at).is_(None))


def _deals(session: Session, rows: Sequence[tuple[Opportunity, str]]) -> dict[int, DealHere]:
    """Those of these opportunities about which no change waits to be taken."""
    leads = [row.lead_id for row, _ in rows]
    unread = set(session.exec(select(CrmChange.lead_id).where(col(CrmChange.lead_id).in_(leads), col(CrmChange.taken_at).is_(None))))
    return {
        row.id: DealHere(row.crm_id, row.lead_id, OpportunityState(row.state), company)
        for row, company in rows
        if row.lead_id is not None and row.lead_id not in unread
    }
