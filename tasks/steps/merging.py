"""Merging by hand: two leads turn out to be one person, or were merged by mistake. Both can be told apart again at any time."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from agreements.words import SEVERAL
from storage import activities, deliveries, handoffs, identity, leases, roster, told, trail, wakes
from storage.tables import Handoff, Lead
from tasks.begin import begin
from tasks.steps.joining import CannotMerge, go_on, join, known, pair
from tasks.steps.withdrawn import tell_withdrawn


def merge(session: Session, lead_id: int, into_id: int, *, by: str, now: datetime, reason: str = "") -> Lead:
    """Ends a lead that is the same person as another one, which goes on instead; returns the lead that goes on.

    Its open handoff ends, and its rep gets a message. Its activities and ids belong to the other lead from now on. Its own facts stay
    with it and stand beside those of the other lead. reason: kept as a personal text. Call inside a write transaction. Raises CannotMerge.
    """
    lead, into = pair(session, lead_id, into_id)
    latest = handoffs.latest_of(session, lead.id)
    was_open = latest is not None and handoffs.is_open(latest)
    text = trail.keep_text(session, reason, lead_id=lead.id)
    if latest is not None and (was_open or latest.stage == Stage.NURTURING):
        _end(session, latest, lead, into, by=by, now=now)
    trail.record(session, "merged-by-hand", now=now, lead_id=lead.id, actor=by, text=text, into=into.id)
    join(session, lead, into, by=by, now=now)
    if was_open:
        go_on(session, into, lead, now=now)
    return into


def unmerge(session: Session, lead_id: int, *, by: str, now: datetime, reason: str = "") -> Lead:
    """Makes a lead that was merged by hand a lead of its own again; returns the lead that stood for it.

    It gets back its activities, with those that came under its ids and its address meanwhile, and a new handoff where one had ended by
    the merge or where something came meanwhile. Call inside a write transaction. Raises CannotMerge.
    """
    lead = known(session, lead_id)
    if lead.merged_into is None:
        raise CannotMerge(f"Lead {lead_id} is not merged with another lead.")
    if not lead.merged_by_hand:
        raise CannotMerge(f"Lead {lead_id} has the same personal e-mail address as lead {lead.merged_into}: one address is one person.")
    identity.reserve_known(session, [lead])
    identity.lock_people(session, [lead])
    stood = identity.stands_for(session, lead)
    theirs = [lead.id, *_merged_into(session, lead.id)]
    back = activities.of(session, stood.id, of_leads=theirs)
    lead.merged_into, lead.merged_by_hand = None, False
    session.add(lead)
    activities.move(session, back, to=lead.id)
    told.hide_merged(stood, lead)
    session.add(stood)
    text = trail.keep_text(session, reason, lead_id=lead.id)
    trail.record(session, "unmerged", now=now, lead_id=lead.id, actor=by, text=text, lead=stood.id)
    trail.record(session, "unmerged", now=now, lead_id=stood.id, actor=by, lead=lead.id)
    latest = handoffs.latest_of(session, lead.id)
    meanwhile = latest is None or any(one.received_at > (latest.ended_at or now) for one in back)
    if latest is None or latest.stage == Stage.MERGED or (meanwhile and latest.stage not in (Stage.SUPPRESSED, Stage.ERASED)):
        _begin_again(session, lead, latest, now=now)
    session.flush()
    return stood


def _begin_again(session: Session, lead: Lead, latest: Handoff | None, *, now: datetime) -> None:
    """Takes the pass that a merge ended up again, for the same rep; what was asked in it counts as it did then."""
    merged = latest if latest is not None and latest.stage == Stage.MERGED else None
    earlier = session.get(Handoff, merged.previous_id) if merged and merged.previous_id else None
    begun = handoffs.get(session, begin(session, lead, now=now, cause="unmerged", previous=earlier if merged else latest))
    if merged:
        begun.wanted_rep, begun.revisits = "" if merged.rep == SEVERAL else merged.rep, merged.revisits
        session.add(begun)


def _merged_into(session: Session, lead_id: int) -> list[int]:
    found: list[int] = [lead_id]
    for one in found:
        found += session.exec(select(Lead.id).where(Lead.merged_into == one).order_by(col(Lead.id))).all()
    return found[1:]


def _end(session: Session, handoff: Handoff, lead: Lead, into: Lead, *, by: str, now: datetime) -> None:
    """Ends the handoff. No attempt can write to it any more, and its only further message says where the lead is now."""
    handoff = leases.locked(session, handoff.id)
    leases.take_over(session, handoff)
    deliveries.abandon_half_sent(session, handoff, now=now)
    deliveries.call_off(session, handoff.id)
    wakes.drop_all(session, handoff.id)
    tenure = handoffs.end_assignment(session, handoff, because="merged", now=now)
    handoff.held, handoff.reason = False, "duplicate"
    handoffs.move(session, handoff, "merged", now=now, actor=by, into=into.id, reason="duplicate")
    if handoff.flow_run_id:
        wakes.add(session, handoff.id, "withdrawn", key=f"merged:{handoff.id}", not_before=now)
    if tenure is not None and deliveries.may_have_arrived(session, tenure.id):
        tell_withdrawn(session, handoff, tenure.rep, tenure.id, because="merged", now=now, what=_where(session, into))


def _where(session: Session, into: Lead) -> str:
    latest = handoffs.latest_of(session, into.id)
    rep = latest.rep if latest is not None and handoffs.is_open(latest) and latest.rep != SEVERAL else ""
    whose = f", which {roster.current(session).name_of(rep)} has" if rep else ""
    return f"This is the same person as lead {into.id}{whose}. The lead goes on there."
