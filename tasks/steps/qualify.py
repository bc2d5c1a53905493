"""Qualify: points for fit and engagement, the fast lane, and the tier; again when a fact changes before the assignment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements import qualification
from agreements.fields import stated
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.qualification import Qualified
from agreements.words import About
from storage import handoffs, leads, trail, waits, wakes
from storage.tables import Handoff, HandoffNote
from tasks.messages.tell import tell_its_rep
from tasks.steps.document import rewrite
from tasks.steps.recycle import to_nurture
from tasks.work import Work

#: The subjects of the wait of a lead for which no rep was found, or which is in the release queue.
UNASSIGNED: tuple[About, ...] = ("hold", "release")


def qualify(work: Work) -> None:
    """Scores the lead as it is now. The lead goes on to sales, or stays with marketing in nurture."""
    session, handoff, now = work.session, work.handoff, work.now
    agreement = handoffs.agreement_of(session, handoff)
    wakes.drop(session, [wake.id for wake in wakes.pending(session, handoff.id, now=now) if wake.kind == "rescore"])
    if handoff.stage == Stage.MQL:
        _judge_again(session, handoff, agreement, now)
        return
    verdict = rate(session, handoff, agreement, now)
    facts = {**_points(verdict), "fast_lane": verdict.fast_lane}
    if verdict.is_mql:
        handoffs.move(session, handoff, "qualified", now=now, tier=handoff.tier, **facts)
    else:
        _not_ready(session, handoff, agreement, verdict, now, **facts)


def rate(session: Session, handoff: Handoff, agreement: Agreement, now: datetime, *, tier: str = "", routed_by: str = "") -> Qualified:
    """Scores the lead and writes points, tier and persona to the handoff and its note; does not move the handoff.

    tier: from a screen rule, empty where the agreement's tiers decide. routed_by: the screen rule in words, if it routes the lead
    past the score.
    """
    facts = leads.facts_for(session, handoff)
    verdict = qualification.qualify(agreement, facts, now=now)
    handoff.fit, handoff.engagement, handoff.score = verdict.fit, verdict.engagement, verdict.total
    handoff.fast_lane = bool(verdict.fast_lane)
    handoff.tier = tier or qualification.tier_for(agreement, facts, verdict).name
    session.add(handoff)
    found = qualification.found_out(agreement, stated(agreement, facts.values), verdict)
    note = handoffs.note_of(session, handoff) or HandoffNote(handoff_id=handoff.id, written_at=now)
    known = {"reasons": list(verdict.reasons), "fast_lane": verdict.fast_lane, "persona": found["persona"], "product": found["product"]}
    asked = verdict.threshold
    limits = {"total": asked.total, "fit": asked.fit_at_least, "engagement": asked.engagement_at_least}
    note.content = {**note.content, **known, "limits": limits, "routed_by": routed_by}
    session.add(note)
    session.flush()
    return verdict


def known_of(session: Session, handoff: Handoff, agreement: Agreement) -> dict[str, Any]:
    """The facts that route a scored lead: its own, and the results of the scoring."""
    note = handoffs.note_of(session, handoff)
    found = {name: note.content.get(name, "") if note else "" for name in ("persona", "product")}
    asked = qualification.asked_for(agreement, str(note.content.get("fast_lane", "")) if note else "")
    known = {"fast_lane": handoff.fast_lane, "score": handoff.score, "tier": handoff.tier}
    return {**leads.facts_for(session, handoff).values, **found, **asked, **known}


def _judge_again(session: Session, handoff: Handoff, agreement: Agreement, now: datetime) -> None:
    """Scores a lead again after a change while no rep has it. A held or queued lead with a new tier or rep is planned again."""
    if handoff.first_assigned_at is not None or handoff.routed:
        return
    was, was_tier = handoff.score, handoff.tier
    before = handoffs.before(session, handoff)
    brought_by = leads.brought_in_by(session, handoff.lead_id, since=before.ended_at if before else None)
    is_new = brought_by != handoff.brought_by
    handoff.brought_by = brought_by
    verdict = rate(session, handoff, agreement, now)
    trail.record(session, "rescored", now=now, handoff=handoff, tier=handoff.tier, was=was, was_tier=was_tier, **_points(verdict))
    if not verdict.is_mql and not (brought_by and not agreement.qualification.sales_sourced.same_rules):
        _not_ready(session, handoff, agreement, verdict, now)
        return
    rewrite(session, handoff, agreement, now=now)
    wait = waits.open_of(session, handoff.id)
    if wait and wait.about in UNASSIGNED and (is_new or handoff.tier != was_tier):
        waits.close(session, wait, because="rescored", now=now)


def _not_ready(session: Session, handoff: Handoff, agreement: Agreement, verdict: Qualified, now: datetime, **facts: Any) -> None:
    handoff.reason = "not-ready"
    why = "; ".join(verdict.reasons)
    to_nurture(session, handoff, agreement, now=now, track="not-ready", why=why, **facts)
    tell_its_rep(
        session,
        handoff,
        key=f"not-ready:{handoff.id}",
        now=now,
        what=f"The lead you brought in is not ready yet: {why}. Marketing keeps it.",
    )


def _points(verdict: Qualified) -> dict[str, Any]:
    return {"score": verdict.total, "fit": verdict.fit, "engagement": verdict.engagement}
