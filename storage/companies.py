"""Companies: who has, or had not long ago, another person of a lead's company."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from sqlmodel import Session, col, select

from agreements.model import Agreement
from agreements.words import SEVERAL, Ended, NotInTime
from storage import handoffs, held, locks
from storage.tables import Assignment, Handoff, Lead

#: The newest leads of a company that are looked at.
_LEADS = 100
#: The ends of a tenure after which the rep does not know the person, or must not be asked again.
_NOT_KNOWN: tuple[Ended, ...] = (*get_args(NotInTime), "crm", "erased", "suppressed")


def lock(session: Session, lead: Lead) -> None:
    """Lets one attempt at a time choose a rep for a person of this company. The next one then sees who got the lead."""
    if lead.company_key:
        locks.take(session, [f"company {lead.company_key}"])


def colleagues(session: Session, handoff: Handoff, agreement: Agreement, *, now: datetime) -> list[Assignment]:
    """Return the tenures of this lead's colleagues that are open, newest first, then those that ended within the agreed time.

    Of each pass of a colleague, the last tenure of each leg counts. Empty where the agreement gives colleagues out by turn.
    """
    rules, lead = agreement.routing.same_company, handoffs.lead_of(session, handoff)
    if rules.to == "by-turn" or not lead.company_key:
        return []
    since = now - rules.within.length
    return held.known(session, handoff.id, "colleagues", lambda: _of_company(session, lead, since))


def _of_company(session: Session, lead: Lead, since: datetime) -> list[Assignment]:
    # The second condition repeats that of the index: SQLite uses a partial index only where the query has its condition.
    others = select(Lead.id).where(Lead.company_key == lead.company_key, Lead.company_key != "", Lead.id != lead.id)
    newest = others.order_by(col(Lead.id).desc()).limit(_LEADS).subquery()
    query = select(Assignment).where(col(Assignment.lead_id).in_(select(newest.c.id))).order_by(col(Assignment.number))
    last = {(row.handoff_id, row.leg): row for row in session.exec(query)}
    known = [row for row in last.values() if row.rep != SEVERAL]  # while several reps are asked about a lead, nobody has it
    opened = sorted((row for row in known if row.ended_at is None), key=lambda row: row.assigned_at, reverse=True)
    ended = [row for row in known if row.ended_at and row.ended_at >= since and row.ended_because not in _NOT_KNOWN]
    return [*opened, *sorted(ended, key=lambda row: row.ended_at or since, reverse=True)]
