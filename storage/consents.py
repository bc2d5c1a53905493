"""Consents: what a person has agreed to or was told, by channel and purpose."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from agreements import lead
from storage.tables import Consent


def keep(session: Session, lead_id: int, told: Sequence[lead.Consent], *, now: datetime) -> None:
    """Keeps the consents that came with an inquiry; does not store a known one twice."""
    if not told:
        return
    known = {(one.channel, one.purpose, one.basis, one.source, one.at) for one in of_lead(session, lead_id)}
    for one in told:
        if (one.channel, one.purpose, one.basis, one.source, one.at) not in known:
            known.add((one.channel, one.purpose, one.basis, one.source, one.at))
            session.add(Consent(lead_id=lead_id, told_at=now, **one.model_dump()))


def of_lead(session: Session, lead_id: int) -> list[Consent]:
    """All consents of a lead, in the order in which they came."""
    return list(session.exec(select(Consent).where(Consent.lead_id == lead_id).order_by(col(Consent.id))))
