"""Opportunities: one row each, kept up by what the CRM says, in any order and however often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select

from agreements import stalled
from agreements.opportunities import Facts, facts_of, told_too
from agreements.words import OpportunityState
from storage import handoffs, wakes
from storage.tables import Handoff, Opportunity


def of_lead(session: Session, lead_id: int) -> list[Opportunity]:
    """The opportunities of a lead, the oldest first."""
    query = select(Opportunity).where(Opportunity.lead_id == lead_id).order_by(col(Opportunity.opened_at), col(Opportunity.id))
    return list(session.exec(query))


def named(session: Session, crm_id: str) -> Opportunity | None:
    """The opportunity with this id in the CRM, locked; None for none."""
    query = select(Opportunity).where(Opportunity.crm_id == crm_id)
    return session.exec(query.with_for_update().execution_options(populate_existing=True)).first()


def begin(session: Session, crm_id: str, *, lead_id: int | None, handoff: Handoff | None, owner: str, at: datetime) -> bool:
    """Stores an opportunity that began at that time; False where it is stored already. handoff: in which it began."""
    return wakes.insert_once(
        session,
        Opportunity,
        crm_id=crm_id,
        lead_id=lead_id,
        handoff_id=handoff.id if handoff else None,
        owner=owner,
        stage="",
        currency="",
        state=OpportunityState.OPEN.value,
        reason="",
        opened_at=at,
        faults={} if lead_id is not None else {"no-lead": ""},
        said={},
        by_baton=False,
        route="",
        updated_at=at,
    )


def created_by_baton(session: Session, handoff: Handoff, proof: str, *, now: datetime) -> None:
    """Stores the opportunity that Baton has just created, or marks it where the CRM has spoken of it before.

    proof: the CRM's answer, its id as the last word.
    """
    crm_id = proof.rpartition(" ")[2]
    begin(session, crm_id, lead_id=handoff.lead_id, handoff=handoff, owner=handoff.rep, at=now)
    row = named(session, crm_id)
    assert row is not None, "it was stored, or was there"
    row.by_baton = True
    watch(session, row)


def watch(session: Session, row: Opportunity) -> None:
    """Note when this opportunity is stalled, as agreed, unless the CRM speaks of it before. News end a spell; old news do not."""
    handoff = session.get(Handoff, row.handoff_id) if row.handoff_id is not None else None
    agreement = handoffs.agreement_of(session, handoff) if handoff is not None and handoff.agreement else None
    due = stalled.stalls_at(agreement, row.updated_at) if handoff is not None and row.state == OpportunityState.OPEN else None
    if due is None or row.stalled_at != due:
        row.stalls_at, row.stalled_at = due, None
    session.add(row)


def stalling_query(now: datetime) -> Select[Any]:
    """A query for the ids of the opportunities that have been without a change for too long, the longest first."""
    return (
        select(Opportunity.id)
        .where(col(Opportunity.stalls_at).is_not(None), col(Opportunity.stalls_at) <= now)
        .order_by(col(Opportunity.stalls_at))
    )


def stall(session: Session, opportunity_id: int, *, now: datetime) -> Opportunity | None:
    """Note that the opportunity is stalled, and return it; None where the CRM has spoken of it meanwhile."""
    row = session.get(Opportunity, opportunity_id, with_for_update=True, populate_existing=True)
    if row is None or row.stalls_at is None or row.stalls_at > now:
        return None
    row.stalls_at, row.stalled_at = None, row.stalls_at
    session.add(row)
    return row


def facts(row: Opportunity) -> Facts:
    """What the opportunity is now, by everything that the CRM said of it."""
    return facts_of(_told(row), began=row.opened_at.date())


def hear(session: Session, row: Opportunity, values: Mapping[str, str], *, at: datetime) -> tuple[Facts, Facts]:
    """Keeps what the CRM said at that time. Returns what the opportunity was before, and what it is now."""
    before = facts(row)
    told = told_too(_told(row), values, at=at)
    row.said = {name: list(one) for name, one in told.items()}
    row.updated_at = max(row.updated_at, at)
    earliest = min(row.opened_at, at)
    now = facts_of(told, began=earliest.date())
    row.opened_at = _morning(now.opened_on) if now.opened_on is not None else earliest
    row.stage, row.amount, row.currency, row.state, row.reason, row.closed_on = (
        now.stage,
        now.amount,
        now.currency,
        now.state,
        now.reason,
        now.closed_on,
    )
    row.faults = {**dict(now.faults), **({"no-lead": ""} if row.lead_id is None else {})}
    row.settled_at = _settled(row, told)
    session.add(row)
    session.flush()
    return before, now


def _told(row: Opportunity) -> dict[str, tuple[str, str]]:
    return {name: (one[0], one[1]) for name, one in row.said.items()}


def _settled(row: Opportunity, told: Mapping[str, tuple[str, str]]) -> datetime | None:
    """When it was won or lost: on the day that the CRM names, else when the CRM said so."""
    if row.state == OpportunityState.OPEN:
        return None
    return _morning(row.closed_on) if row.closed_on else datetime.fromisoformat(told["state"][0])


def _morning(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)
