"""Revisit: check a nurtured lead for new evidence against the agreement's rule. No lead lapses silently."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session

from agreements import qualification
from agreements.disposition import revisit_at
from agreements.errors import NoAgreementInForce
from storage import contracts, handoffs, leads, trail, waits
from storage.tables import Handoff, Wait
from tasks.begin import begin
from tasks.messages.tell import tell

#: How long a due lead waits for the next look while no agreement is in force.
LOOK_AGAIN = timedelta(hours=1)


def look_again(session: Session, wait_id: str, *, now: datetime) -> int:
    """Revisits the lead of this wait if it is still in nurture; returns 1, or 0 if it is not. Call inside a write transaction."""
    wait = session.get(Wait, wait_id, with_for_update=True, populate_existing=True)  # locked: a ruling may take the lead from nurture too
    if wait is None or wait.closed_at:
        return 0
    revisit(session, wait, now=now)
    return 1


def revisit(session: Session, wait: Wait, *, now: datetime) -> str:
    """Revisits one nurtured lead, inside the caller's write transaction; returns "returned", "waiting" or "exhausted".

    With new evidence that meets the rule, the lead gets a new handoff under the version in force. A fast-lane request meets the
    rule at once. Otherwise a revisit date leads to the next date, until the agreed cap disqualifies the lead. If a rep brought the
    lead in again, it goes to that rep where such leads need not qualify; elsewhere the rep is told that it stays in nurture.
    """
    handoff = handoffs.get(session, wait.handoff_id)
    lead = handoffs.lead_of(session, handoff)
    latest = handoffs.latest_of(session, handoff.lead_id)
    if latest is not None and latest.id != handoff.id and handoffs.is_open(latest):
        waits.close(session, wait, because="came back already", now=now)
        return "returned"
    facts = leads.facts(session, lead, since=handoff.ended_at)
    try:
        row = contracts.in_force(session, now, facts.values)
    except NoAgreementInForce:
        wait.next_at = now + LOOK_AGAIN
        session.add(wait)
        return "waiting"
    agreement = contracts.read(row)
    verdict = qualification.qualify(agreement, facts, now=now)
    newest = leads.newest_activity_at(session, handoff.lead_id)
    fresh = newest is not None and handoff.ended_at is not None and newest > handoff.ended_at
    new = agreement.recycling.needs.met(rise=verdict.total - handoff.score, fresh=fresh)
    brought_by = leads.brought_in_by(session, handoff.lead_id, since=handoff.ended_at)
    straight = brought_by and not agreement.qualification.sales_sourced.same_rules
    if ((verdict.is_mql and new) or straight) and not facts.value("suppressed"):
        waits.close(session, wait, because="new evidence", now=now)
        begun = begin(session, lead, now=now, cause="new-evidence", previous=handoff)
        trail.record(session, "came-back", now=now, handoff=handoff, to=begun, score=verdict.total)
        return "returned"
    if brought_by:
        what = f"The lead you brought in is not ready yet: {'; '.join(verdict.reasons)}. Marketing keeps it."
        tell(session, handoff, brought_by, key=f"not-ready:{handoff.id}:{newest}", now=now, what=what)
    if now < wait.due_at:
        wait.next_at = wait.due_at
        session.add(wait)
        return "waiting"
    return _next_round(session, handoff, wait, now)


def _next_round(session: Session, handoff: Handoff, wait: Wait, now: datetime) -> str:
    agreement = handoffs.agreement_of(session, handoff)
    waits.close(session, wait, because="revisited", now=now)
    handoff.revisits += 1
    session.add(handoff)
    if handoff.revisits > agreement.recycling.at_most:
        handoff.reason = "exhausted"
        handoffs.move(session, handoff, "disqualified", now=now, reason="exhausted")
        return "exhausted"
    due = revisit_at(agreement, agreement.reason(handoff.reason), now=now)
    trail.record(session, "revisited", now=now, handoff=handoff, round=handoff.revisits, next=due.isoformat())
    waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=due), now=now)
    return "waiting"
