"""Activities: what a lead did, each conversion once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from agreements.lead import IncomingLead
from storage import consents, trail
from storage.tables import Activity, Lead


def key_of(incoming: IncomingLead) -> str:
    """The key of the conversion among the activities of its lead."""
    return f"{incoming.source}:{incoming.source_id}:{incoming.key_of_conversion()}"[:500]


def has_done(session: Session, lead: Lead, key: str) -> bool:
    """Whether this conversion was taken in for this lead before."""
    return session.exec(select(Activity.id).where(Activity.lead_id == lead.id, Activity.key == key)).first() is not None


def add(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> int | None:
    """The new activity's id; None where the activity is already stored. One that claims a later time was done now."""
    lead_id, key = lead.id, key_of(incoming)
    if has_done(session, lead, key):
        return None
    text = trail.keep_text(session, incoming.message, lead_id=lead_id)
    at = min(incoming.at or now, now)
    row = Activity(
        lead_id=lead_id,
        key=key,
        kind=incoming.activity,
        at=at,
        path=incoming.path,
        campaign=incoming.campaign,
        text_id=text.id if text else None,
        brought_by=incoming.sales_sourced_by,
        received_at=now,
    )
    session.add(row)
    consents.keep(session, lead_id, incoming.consents, now=now)
    said: dict[str, Any] = {"activity": incoming.activity}
    if incoming.sales_sourced_by:
        said["brought_by"] = incoming.sales_sourced_by
    trail.record(session, "activity", now=at, lead_id=lead_id, actor=actor, text=text, **said)
    session.flush()
    return row.id
