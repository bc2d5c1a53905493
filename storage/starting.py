"""Starting handoffs: a lead's next pass begins, and what was held is let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.qualification import fast_lane
from storage import contracts, handoffs, trail, wakes
from storage.facts import brought_in_by, facts
from storage.tables import Handoff, Lead

#: Why a handoff is held that nobody asked to hold.
NO_AGREEMENT = "no-agreement-in-force"
#: Causes for which the rounds in nurture are counted on.
_GOES_ON = ("new-evidence", "new-version")


def begin(session: Session, lead: Lead, *, now: datetime, cause: str, previous: Handoff | None, hold: bool = False) -> int:
    """A new handoff of a lead that has none open, linked to the earlier one; its id. hold: do not start it.

    Raises IntegrityError where the lead has an open one after all: a unique key allows one.
    """
    handoff = Handoff(lead_id=lead.id or 0, created_at=now, previous_id=previous.id if previous else None, held=hold)
    handoff.revisits = previous.revisits if previous and cause in _GOES_ON else 0
    before = handoffs.before(session, handoff)
    handoff.brought_by = brought_in_by(session, lead.id or 0, since=before.ended_at if before else None)
    session.add(handoff)
    session.flush()
    kind_of_wake = wakes.CAPTURE
    try:
        known = facts(session, lead, since=before.ended_at if before else None)
        agreement = handoffs.born_under(session, handoff, at=now, values=known.values)
        if fast_lane(agreement, known, now=now):
            kind_of_wake = wakes.REQUEST
        if before and cause in ("new-evidence", "returned"):
            _back_to_its_rep(session, handoff, before, legs=len(agreement.legs))
    except NoAgreementInForce:
        handoff.held, handoff.reason = True, "" if hold else NO_AGREEMENT
    kind, actor = ("started-anew", "baton") if cause == "new-version" else ("captured", "intake")
    more: dict[str, Any] = {"brought_by": handoff.brought_by} if handoff.brought_by else {}
    trail.record(session, kind, now=now, handoff=handoff, actor=actor, cause=cause, held=handoff.held, **more)
    if not handoff.held:
        wakes.add(session, handoff.id or 0, kind_of_wake, key=f"capture:{handoff.id}", not_before=now)
    session.flush()
    return handoff.id or 0


def _back_to_its_rep(session: Session, handoff: Handoff, previous: Handoff, *, legs: int) -> None:
    """Where the reason why it was given back says so, the lead is wanted for the same rep, in the leg in which they had it."""
    rows = handoffs.assignments(session, previous.id or 0)
    reason = handoffs.agreement_of(session, previous).reason(previous.reason) if previous.agreement else None
    if rows and reason and reason.back_to == "same-rep":
        handoff.wanted_rep = rows[-1].rep
        handoff.leg = rows[-1].leg if rows[-1].leg < legs else 0
        session.add(handoff)


def release_held(session: Session, *, now: datetime, limit: int | None = None, only_without_agreement: bool = False) -> int:
    """Starts the handoffs that were stored but held; says how many.

    One that no agreement in force is for stays held for want of one. only_without_agreement: just those that were held for
    that reason. Raises NoAgreementInForce otherwise, where none is in force at all.
    """
    if not contracts.counting(session, now):
        if only_without_agreement:
            return 0
        raise NoAgreementInForce()
    query = select(Handoff).where(col(Handoff.held).is_(True))
    if only_without_agreement:
        query = query.where(Handoff.reason == NO_AGREEMENT)
    rows = session.exec(query.order_by(col(Handoff.id)).limit(limit)).all()
    return sum(release(session, handoff, now=now) for handoff in rows)


def release(session: Session, handoff: Handoff, *, now: datetime) -> bool:
    """Starts a handoff that was held; False where no agreement in force is for it."""
    try:
        handoffs.born_under(session, handoff, at=now, values=facts(session, handoffs.lead_of(session, handoff)).values)
    except NoAgreementInForce:
        handoff.reason = NO_AGREEMENT
        session.add(handoff)
        return False
    handoff.held, handoff.reason = False, ""
    session.add(handoff)
    wakes.add(session, handoff.id or 0, wakes.CAPTURE, key=f"capture:{handoff.id}", not_before=now)
    return True
