"""What a lead said about itself, and since when. A backtest must not see facts from after the verdict."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import ACCOUNT, domain_of
from agreements.slips import has_link
from storage.tables import Lead, LeadValues


def told_by(lead: Lead) -> dict[str, Any]:
    """The facts that come with a lead, as they came; facts that others know about it are not among them."""
    return {
        **{name: value for name, value in lead.values.items() if not name.startswith(ACCOUNT)},
        "email": lead.email,
        "email_domain": domain_of(lead.email),
        "phone": lead.phone,
        "name_has_link": has_link(lead.first_name, lead.last_name),
        "company": lead.company,
        "job_title": lead.job_title,
        "country": lead.country,
        "entry_channel": lead.entry_channel,
        "source": lead.source,
        "campaign": lead.campaign,
    }


def remember(session: Session, lead: Lead, *, now: datetime) -> None:
    """Stores what the lead says from now on; writes nothing where nothing changed."""
    made = first(lead, now=now)
    latest = session.exec(select(LeadValues).where(LeadValues.lead_id == lead.id).order_by(col(LeadValues.id).desc()).limit(1)).first()
    if latest is None or latest.values != made.values:
        session.add(made)
        session.flush()


def first(lead: Lead, *, now: datetime) -> LeadValues:
    """The row of what a stored lead says from now on, not stored yet."""
    return LeadValues(lead_id=lead.id, at=now, values={name: value for name, value in told_by(lead).items() if value not in (None, "")})
