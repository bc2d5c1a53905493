"""Leads: their rows and the ids of their sources. facts.py has the facts that rules may ask about a lead.

tasks/intake.py decides what an inquiry becomes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import IncomingLead, mail_key
from agreements.lifecycle import Stage
from storage import history, identity, trail
from storage.facts import brought_in_by, facts, facts_for, newest_activity_at
from storage.tables import Handoff, Lead, LeadSource, Wait

__all__ = [
    "add",
    "bring_up_to_date",
    "brought_in_by",
    "end_merged",
    "facts",
    "facts_for",
    "newest_activity_at",
    "open_revisits",
]


def add(session: Session, incoming: IncomingLead, *, now: datetime, key: str, takes_id: bool = True) -> Lead:
    """Stores a new lead. key: the person key from now on, empty for none. takes_id: the source id names this lead from now on."""
    lead = row(incoming, now=now, key=key)
    session.add(lead)
    session.flush()
    if takes_id:
        session.add(LeadSource(source=incoming.source, source_id=incoming.source_id, lead_id=lead.id))
    history.remember(session, lead, now=now)
    return lead


def row(incoming: IncomingLead, *, now: datetime, key: str) -> Lead:
    """The row of a new lead, not stored yet. key: the person key from now on, empty for none."""
    named = "source email first_name last_name phone company job_title country entry_channel campaign requested_time do_not_contact"
    return Lead(
        **{name: getattr(incoming, name) for name in named.split()},
        mail_key=mail_key(incoming.email),
        person_key=key,
        values=dict(incoming.fields),
        created_at=now,
    )


def end_merged(session: Session, lead: Lead, *, into: Lead, now: datetime, actor: str) -> None:
    """Ends a lead that is the same person as another one, before it begins. Its handoff is over from the start."""
    lead.merged_into = into.id
    ended: dict[str, Any] = {"stage": Stage.MERGED, "outcome": "merged", "reason": "duplicate", "owner": "marketing"}
    session.add(Handoff(lead_id=lead.id, created_at=now, ended_at=now, **ended))
    trail.record(session, "merged", now=now, lead_id=lead.id, actor=actor, into=into.id)


def take_address(session: Session, lead: Lead, email: str) -> None:
    """Gives the lead this address. Its key stays with another lead that has it already."""
    if mail_key(email) != lead.mail_key:
        lead.mail_key, lead.person_key = mail_key(email), identity.free_key(session, email)
    lead.email = email
    session.add(lead)


def bring_up_to_date(session: Session, lead: Lead, incoming: IncomingLead) -> None:
    """Stores what the newest conversion says about a known lead; told.py stores the facts."""
    lead.source = incoming.source
    lead.campaign = incoming.campaign or lead.campaign
    lead.requested_time = incoming.requested_time or lead.requested_time
    lead.do_not_contact = lead.do_not_contact or incoming.do_not_contact
    session.add(lead)


def open_revisits(session: Session, *, now: datetime, limit: int = 500) -> list[Wait]:
    """The due waits of nurtured leads that should be reviewed again."""
    query = select(Wait).where(Wait.kind == "revisit", col(Wait.closed_at).is_(None), col(Wait.next_at) <= now)
    return list(session.exec(query.order_by(col(Wait.next_at)).limit(limit)))
