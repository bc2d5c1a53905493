"""Opportunities as the CRM tells them: kept up in their own table, shown in the trail, and routed as agreed when they are lost."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements.crm_words import reason_named
from agreements.lifecycle import Stage
from agreements.lost import LOST_REASON, route
from agreements.opportunities import Facts, changed
from agreements.words import EventKind, OpportunityState
from storage import handoffs, opportunities, roster, trail
from storage.tables import CrmChange, Opportunity
from tasks.crm.fields import answer_of_work, give_back
from tasks.crm.place import Place
from tasks.messages import opportunity_request
from tasks.steps.recycle import to_nurture


def keep_without_lead(session: Session, row: CrmChange, *, now: datetime) -> None:
    """Keeps an opportunity whose lead Baton does not know, marked as such."""
    crm_id = row.details.get("opportunity", "")
    if crm_id:
        at = min(row.at, now)
        opportunities.begin(session, crm_id, lead_id=None, handoff=None, owner=row.by, at=at)
        found = opportunities.named(session, crm_id)
        assert found is not None, "it was stored, or was there"
        opportunities.hear(session, found, row.details, at=at)


def take_opportunity(place: Place) -> bool:
    """Takes what the CRM says of an opportunity. False while its loss waits until the handoff has ended as an opportunity."""
    made, session = place.made, place.session
    crm_id = made.values.get("opportunity", "")
    if not crm_id:
        return True
    new = opportunities.begin(session, crm_id, lead_id=place.lead.id, handoff=place.handoff, owner=made.by, at=made.at)
    row = opportunities.named(session, crm_id)
    assert row is not None, "it was stored, or was there"
    if new and _is_baton_s(place):
        row.by_baton = True
    if row.lead_id is None:
        row.lead_id, row.handoff_id = place.lead.id, place.handoff.id
    before, facts = opportunities.hear(session, row, made.values, at=made.at)
    opportunities.watch(session, row)
    _show(place, row, before, facts, new=new)
    return _act(place, row, facts)


def _is_baton_s(place: Place) -> bool:
    """Whether this is the opportunity that Baton is creating, reported before the CRM has confirmed it to Baton."""
    stranger = roster.current(place.session).person(place.made.by) is None
    return stranger and opportunity_request.was_requested(place.session, place.handoff)


def _show(place: Place, row: Opportunity, before: Facts, facts: Facts, *, new: bool) -> None:
    about: dict[str, Any] = {"opportunity": row.crm_id, "stage": facts.stage, "amount": facts.amount, "currency": facts.currency}
    about["faults"] = sorted(row.faults)
    fields = changed(before, facts)
    kinds: list[EventKind] = ["opportunity-opened"] if new else []
    if "state" in fields and facts.state != OpportunityState.OPEN:
        kinds.append("opportunity-won" if facts.state == OpportunityState.WON else "opportunity-lost")
    elif fields and not new:
        kinds.append("opportunity-changed")
    known = (
        reason_named(place.agreement, facts.reason, field=LOST_REASON)
        if place.handoff.agreement and facts.state == OpportunityState.LOST
        else None
    )
    for kind in kinds:
        more: dict[str, Any] = {"fields": list(fields)} if kind == "opportunity-changed" else {}
        if kind == "opportunity-lost" and known is not None:
            more["reason"] = known.code
        said = {name: value for name, value in {**about, **more}.items() if value not in ("", None, [])}
        trail.record(place.session, kind, now=place.made.at, handoff=place.handoff, actor=place.made.by, **said)


def _act(place: Place, row: Opportunity, facts: Facts) -> bool:
    """Lets the handoff follow: a rep's opportunity is an answer, and a loss takes its route."""
    if row.handoff_id != place.handoff.id:
        return True
    if place.is_open:
        return _answer(place, row, facts)
    if place.handoff.stage == Stage.OPPORTUNITY and facts.state == OpportunityState.LOST and not row.route:
        _take_route(place, row, facts)
    return True


def _answer(place: Place, row: Opportunity, facts: Facts) -> bool:
    """Answers for the rep. Returns False while the answer has to be carried out before a loss can be routed."""
    if place.wait is None:
        return True
    if place.tenure is not None and place.made.at < place.tenure.assigned_at:
        place.not_understood("before-assignment", says="opportunity")
        return True
    if row.by_baton and facts.state == OpportunityState.OPEN:
        return True
    if row.by_baton and facts.state == OpportunityState.LOST:
        known = reason_named(place.agreement, facts.reason, field=LOST_REASON)
        give_back(place, known.code if known else "")
        return True
    answer_of_work(place, "opportunity")
    return facts.state != OpportunityState.LOST


def _take_route(place: Place, row: Opportunity, facts: Facts) -> None:
    """Carries out what the agreement says of this loss, once."""
    follows = route(place.agreement, facts.reason, now=place.now)
    if follows is None:
        return
    row.route = follows.then
    place.session.add(row)
    place.handoff.reason = follows.reason
    if follows.then == "nurture":
        to_nurture(
            place.session,
            place.handoff,
            place.agreement,
            now=place.now,
            track=follows.track,
            revisit=follows.revisit_at,
            reason=follows.reason or "lost",
        )
    else:
        handoffs.move(place.session, place.handoff, "disqualified", now=place.now, actor=place.made.by, reason=follows.reason)
