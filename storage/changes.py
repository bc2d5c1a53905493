"""The changes that a conversion shows since the lead's last one, and what was agreed for such changes."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, select

from agreements.changes import another_company, another_role
from agreements.errors import NoAgreementInForce
from agreements.lead import IncomingLead
from agreements.model import OnChange
from agreements.words import EventKind
from storage import contracts, handoffs, linked
from storage.facts import facts
from storage.tables import Activity, Lead


def key_of(incoming: IncomingLead) -> str:
    """The key of the conversion among the activities of its lead."""
    return f"{incoming.source}:{incoming.source_id}:{incoming.key_of_conversion()}"[:500]


def has_done(session: Session, lead: Lead, key: str) -> bool:
    """Whether this conversion was taken in for this lead before."""
    return session.exec(select(Activity.id).where(Activity.lead_id == lead.id, Activity.key == key)).first() is not None


def at_company(session: Session, lead: Lead, incoming: IncomingLead) -> tuple[Lead, bool]:
    """This person's lead at the company that the conversion names; else the newest lead, and True: the person has moved."""
    line = [one for one in linked.line_of(session, lead) if one.erased_at is None]
    key = key_of(incoming)
    done = [one for one in line if len(line) > 1 and has_done(session, one, key)]
    here = [one for one in line if not another_company((one.company, one.email), (incoming.company, incoming.email))]
    return (done or here or line)[-1], not done and not here


def changes_of(session: Session, lead: Lead, incoming: IncomingLead, now: datetime) -> list[EventKind]:
    """The changes for which the agreement wants a new score, as events of the trail: role-changed, company-changed."""
    role = another_role(lead.job_title, incoming.job_title)
    moved = another_company((lead.company, lead.email), (incoming.company, incoming.email))
    if not role and not moved:
        return []
    rules = on_change(session, lead, now)
    found: dict[EventKind, bool] = {
        "role-changed": role and rules.job_title == "rescore",
        "company-changed": moved and rules.company == "rescore",
    }
    return [event for event, holds in found.items() if holds]


def on_change(session: Session, lead: Lead, now: datetime) -> OnChange:
    """The agreed rule for a change: from the version of the lead's latest handoff, else from the one in force."""
    latest = handoffs.latest_of(session, lead.id)
    if latest and latest.agreement:
        return handoffs.agreement_of(session, latest).qualification.on_change
    try:
        return contracts.read(contracts.in_force(session, now, facts(session, lead).values)).qualification.on_change
    except NoAgreementInForce:
        return OnChange()
