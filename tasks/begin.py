"""Begin: start a lead's next handoff, and release a handoff that was held.

The agreement in force decides under which version a handoff begins, and how urgent its first wake is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements.errors import NoAgreementInForce
from agreements.lead import LeadFacts
from agreements.model import Agreement
from agreements.qualification import fast_lane
from agreements.words import BeganBy, EventKind
from storage import handoffs, trail, wakes
from storage.facts import brought_in_by, facts, facts_at_capture
from storage.handoffs import NO_AGREEMENT
from storage.tables import Handoff, Lead, WakeKind

#: Causes that continue the count of rounds in nurture.
_GOES_ON: tuple[BeganBy, ...] = ("new-evidence", "new-version")
#: A lead that comes back like this may go to the rep who had it before.
_COMES_BACK: tuple[BeganBy, ...] = ("new-evidence", "returned")


def begin(session: Session, lead: Lead, *, now: datetime, cause: BeganBy, previous: Handoff | None, hold: bool = False) -> int:
    """Makes a new handoff for a lead that has none open, linked to the earlier one; returns its id. hold: do not start it.

    Raises IntegrityError where the lead has an open one after all: a unique key allows one.
    """
    handoff = Handoff(lead_id=lead.id, created_at=now, previous_id=previous.id if previous else None, held=hold)
    handoff.revisits = previous.revisits if previous and cause in _GOES_ON else 0
    before = handoffs.before(session, handoff)
    handoff.brought_by = brought_in_by(session, lead.id, since=before.ended_at if before else None)
    session.add(handoff)
    session.flush()
    kind_of_wake: WakeKind = wakes.CAPTURE
    try:
        known = facts(session, lead, since=before.ended_at if before else None)
        agreement = handoffs.born_under(session, handoff, at=now, values=known.values)
        kind_of_wake = urgency(agreement, known, now)
        if before and cause in _COMES_BACK:
            _back_to_its_rep(session, handoff, before, legs=len(agreement.legs))
    except NoAgreementInForce:
        handoff.held, handoff.reason = True, "" if hold else NO_AGREEMENT
    kind: EventKind
    kind, actor = ("started-anew", "baton") if cause == "new-version" else ("captured", "intake")
    more: dict[str, Any] = {"brought_by": handoff.brought_by} if handoff.brought_by else {}
    trail.record(session, kind, now=now, handoff=handoff, actor=actor, cause=cause, held=handoff.held, **more)
    if not handoff.held:
        wakes.add(session, handoff.id, kind_of_wake, key=f"capture:{handoff.id}", not_before=now)
    session.flush()
    return handoff.id


def _back_to_its_rep(session: Session, handoff: Handoff, previous: Handoff, *, legs: int) -> None:
    """Asks for the same rep, in the leg in which they had the lead, where the reason for giving it back says so."""
    rows = handoffs.assignments(session, previous.id)
    reason = handoffs.agreement_of(session, previous).reason(previous.reason) if previous.agreement else None
    if rows and reason and reason.back_to == "same-rep":
        handoff.wanted_rep = rows[-1].rep
        handoff.leg = rows[-1].leg if rows[-1].leg < legs else 0
        session.add(handoff)


def release(session: Session, handoff: Handoff, *, now: datetime) -> bool:
    """Starts a handoff that was held; False where no agreement in force covers it."""
    known = facts_at_capture(session, handoff)
    try:
        agreement = handoffs.born_under(session, handoff, at=now, values=known.values)
    except NoAgreementInForce:
        handoff.reason = NO_AGREEMENT
        session.add(handoff)
        return False
    handoff.held, handoff.reason, handoff.released_at = False, "", now
    session.add(handoff)
    wakes.add(session, handoff.id, urgency(agreement, known, now), key=f"capture:{handoff.id}", not_before=now)
    return True


def urgency(agreement: Agreement, known: LeadFacts, now: datetime) -> WakeKind:
    """The kind of the first wake: a lead that asked to talk to sales goes before the others."""
    return wakes.REQUEST if fast_lane(agreement, known, now=now) else wakes.CAPTURE
