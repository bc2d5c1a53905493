"""Qualify: points for fit and engagement, the fast lane, and the tier."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements import qualification
from agreements.model import Agreement
from agreements.qualification import Qualified
from storage import handoffs, leads
from storage.tables import Handoff, HandoffNote
from tasks.recycle import to_nurture
from tasks.turn import Turn, step


@step
async def qualify(turn: Turn) -> Turn:
    """Scores the lead as it stands now; ready for sales, or stays with marketing in nurture."""

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        agreement = handoffs.agreement_of(session, handoff)
        verdict = rate(session, handoff, agreement, now)
        facts: dict[str, Any] = {
            "score": verdict.total,
            "fit": verdict.fit,
            "engagement": verdict.engagement,
            "fast_lane": verdict.fast_lane,
        }
        if verdict.is_mql:
            handoffs.move(session, handoff, "qualified", now=now, tier=handoff.tier, **facts)
        else:
            handoff.reason = "not-ready"
            to_nurture(session, handoff, agreement, now=now, track="not-ready", why="; ".join(verdict.reasons), **facts)

    return await turn.save(work)


def rate(session: Session, handoff: Handoff, agreement: Agreement, now: datetime) -> Qualified:
    """Qualifies and writes the points onto the handoff and its note; does not move it."""
    facts = leads.facts_for(session, handoff)
    verdict = qualification.qualify(agreement, facts, now=now)
    handoff.fit, handoff.engagement, handoff.score = verdict.fit, verdict.engagement, verdict.total
    handoff.fast_lane = bool(verdict.fast_lane)
    if handoff.tier == "normal":
        handoff.tier = qualification.tier_for(agreement, facts, verdict).name
    session.add(handoff)
    note = handoffs.note_of(session, handoff) or HandoffNote(handoff_id=handoff.id or 0, written_at=now)
    note.content = {**note.content, "reasons": list(verdict.reasons), "fast_lane": verdict.fast_lane}
    session.add(note)
    session.flush()
    return verdict
