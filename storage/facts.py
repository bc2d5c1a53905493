"""The facts of a lead: everything that the rules may ask about it, as it came in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlmodel import Session, col, select

from agreements.lead import ACCOUNT, Done, LeadFacts
from storage import handoffs, held, linked
from storage.history import told_by
from storage.tables import Activity, Handoff, Lead


def facts(session: Session, lead: Lead, *, account: dict[str, Any] | None = None, since: datetime | None = None) -> LeadFacts:
    """The facts that rules may ask about this lead. account: what the CRM says about the company, by `status`, `owner` …

    since: the end of the handoff before, None for a first one.
    """
    values: dict[str, Any] = {
        **told_by(lead),
        "suppressed": linked.is_suppressed(session, lead),
        "sales_sourced": bool(brought_in_by(session, lead.id, since=since)),
        **{f"{ACCOUNT}{name}": value for name, value in (account or {}).items()},
    }
    rows = session.exec(select(Activity).where(Activity.lead_id == lead.id).order_by(col(Activity.at), col(Activity.id)))
    return _of(lead, values, rows, since)


def facts_of_newcomer(lead: Lead, activity: Activity) -> LeadFacts:
    """The facts of a lead that did one thing so far, whom nobody listed, and whom no rep brought in."""
    return _of(lead, {**told_by(lead), "suppressed": False, "sales_sourced": False}, [activity], None)


def _of(lead: Lead, values: dict[str, Any], rows: Iterable[Activity], since: datetime | None) -> LeadFacts:
    done = tuple(Done(row.kind, row.at, row.path) for row in rows)
    known = {name: value for name, value in values.items() if value not in (None, "")}
    return LeadFacts(MappingProxyType(known), done, lead.last_touch_at, lead.entry_channel, since)


def facts_for(session: Session, handoff: Handoff, *, account: dict[str, Any] | None = None) -> LeadFacts:
    """The facts that rules may ask about the lead of this handoff. account: as in the CRM now; if left out, as it was when screened."""
    asked = account or handoff.account

    def find() -> LeadFacts:
        previous = handoffs.before(session, handoff)
        return facts(session, handoffs.lead_of(session, handoff), account=asked, since=previous.ended_at if previous else None)

    return held.known(session, handoff.id, ("facts", str(asked)), find)


def facts_at_capture(session: Session, handoff: Handoff) -> LeadFacts:
    """The facts of the lead when its handoff begins. The CRM's facts about the company come later."""
    previous = handoffs.before(session, handoff)
    return facts(session, handoffs.lead_of(session, handoff), since=previous.ended_at if previous else None)


def brought_in_by(session: Session, lead_id: int, *, since: datetime | None) -> str:
    """The rep who last brought this lead in after that instant, empty for none."""
    query = select(Activity.brought_by).where(Activity.lead_id == lead_id, Activity.brought_by != "")
    if since is not None:
        query = query.where(col(Activity.received_at) > since)
    return session.exec(query.order_by(col(Activity.id).desc()).limit(1)).first() or ""


def newest_activity_at(session: Session, lead_id: int) -> datetime | None:
    """When Baton received the newest activity of this lead, aware; None for no activity."""
    return session.exec(select(Activity.received_at).where(Activity.lead_id == lead_id).order_by(col(Activity.id).desc()).limit(1)).first()
