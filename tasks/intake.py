"""Intake: decide what an inquiry becomes. It begins a handoff, joins a known lead, or repeats what is stored already.

storage/leads.py and storage/activities.py have the rows. begin.py begins the handoff.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from agreements.changes import another_company, another_role
from agreements.errors import NoAgreementInForce
from agreements.lead import IncomingLead, mail_key
from agreements.lifecycle import Stage
from agreements.model import OnChange
from agreements.words import BeganBy, EventKind
from storage import activities, contracts, erased, handoffs, history, identity, leads, told, trail, waits, wakes
from storage.handoffs import NO_AGREEMENT
from storage.tables import Handoff, Lead
from tasks import in_hand, opting_out
from tasks.begin import begin, release
from tasks.recognition import Recognised, recognise

#: What became of a conversion that was taken in.
TakenAs = Literal["new", "activity", "merged", "repeated"]


@dataclass(frozen=True, slots=True)
class Captured:
    """The result of taking in. kind: new (a handoff began), activity (added to a known lead), merged (a known person under a new id),
    repeated (the conversion was here already, and its activity counts it)."""

    kind: TakenAs
    lead_id: int
    handoff_id: int | None = None


def capture(
    session: Session, incoming: IncomingLead, *, now: datetime, actor: str = "intake", hold: bool = False, reserved: bool = False
) -> Captured:
    """Takes in one inquiry. Call inside a write transaction: lead, activity, handoff and wake are stored together.

    For an erased person Baton stores only that somebody whom nobody may contact made an inquiry.
    The same conversion again is counted at its activity. New conversion: an activity. A lead that had ended: a new handoff.
    hold: store, but do not start. reserved: the caller has reserved it with identity.reserve, together with others.
    Raises IntegrityError where another transaction stored the same person first: see identity.again_if_taken.
    """
    if not reserved:
        identity.reserve(session, [incoming])
    found = recognise(session, incoming, now=now)
    if _is_erased(session, incoming, found):
        incoming = erased.without_person(session, incoming)
        found = recognise(session, incoming, now=now)
    if found.lead is None or found.named is None:
        return _begin_new(session, incoming, found.before, now=now, actor=actor, hold=hold)
    if found.before is not None:
        _share_id(session, incoming, found.before, found.named, now=now, actor=actor)
    moved = found.how == "at-another-company" and _on_change(session, found.lead, now).company
    if found.how == "at-another-address" or moved == "new-linked-lead":
        return _begin_linked(session, found.named, incoming, now=now, actor=actor, hold=hold, takes_id=found.new_id)
    if found.new_id:  # a known person's new id becomes a lead of its own, which ends at once
        leads.end_merged(session, leads.add(session, incoming, now=now, key=""), into=found.named, now=now, actor=actor)
    done = _known(session, found.lead, found, incoming, now=now, actor=actor)
    return Captured("merged", done.lead_id, done.handoff_id) if found.new_id else done


def _is_erased(session: Session, incoming: IncomingLead, found: Recognised) -> bool:
    """Whether the person was erased. The id alone does not say so where a living person's own address came with it."""
    known = found.named is not None and found.named.mail_key == mail_key(incoming.email) != ""
    return erased.is_erased(session, incoming, by_id=not known)


def _begin_new(session: Session, incoming: IncomingLead, before: Lead | None, *, now: datetime, actor: str, hold: bool) -> Captured:
    """Gives a person whom nobody knows a lead. before: somebody else, who came under the same id of the source."""
    key = identity.person_key(incoming.email)
    lead = leads.add(session, incoming, now=now, key=key, takes_id=before is None)
    if before is not None:
        _share_id(session, incoming, before, lead, now=now, actor=actor)
    activities.add(session, lead, incoming, now=now, actor=actor)
    opting_out.take_refusal(session, lead, incoming, now=now, actor=actor)
    return Captured("new", lead.id, begin(session, lead, now=now, cause="inquiry", previous=None, hold=hold))


def _share_id(session: Session, incoming: IncomingLead, before: Lead, lead: Lead, *, now: datetime, actor: str) -> None:
    """Records on both leads that a source gave two people one id."""
    if identity.share(session, incoming, lead):
        trail.record(session, "shares-id", now=now, lead_id=before.id, actor=actor, to=lead.id)
        trail.record(session, "shares-id", now=now, lead_id=lead.id, actor=actor, to=before.id)


def _known(session: Session, lead: Lead, found: Recognised, incoming: IncomingLead, *, now: datetime, actor: str) -> Captured:
    """Adds a conversion to a lead that is known and locked."""
    lead_id, named = lead.id, found.named or lead
    activity_id = activities.add(session, lead, incoming, now=now, actor=actor, named=named)
    if not activity_id:
        _keep_repeated(session, lead, found, incoming, now=now)
        opting_out.take_refusal(session, lead, incoming, now=now, actor=actor)
        return Captured("repeated", lead_id)
    changed = _changes_of(session, named, incoming, now)
    facts_told = _take_facts(session, named, found, incoming, moved="company-changed" in changed, now=now)
    if named.id != lead.id:
        told.show_merged(lead, named, now=now)
    leads.bring_up_to_date(session, lead, incoming)
    history.remember(session, named, now=now)
    opting_out.take_refusal(session, lead, incoming, now=now, actor=actor)
    latest = seen_to(session, lead_id, now)
    for event in changed:
        trail.record(session, event, now=now, handoff=latest, lead_id=lead_id, actor=actor)
    if facts_told and latest is not None and latest.ended_at is None:
        names: dict[str, Any] = {how: list(of) for how, of in asdict(facts_told).items() if of}
        trail.record(session, "facts-told", now=now, handoff=latest, actor=actor, source=incoming.source, **names)
    if latest is not None and latest.held and latest.reason == NO_AGREEMENT:
        release(session, latest, now=now)
    if latest is None or opting_out.asks_anew(session, lead, latest):
        return Captured("new", lead_id, begin(session, lead, now=now, cause="returned", previous=latest))
    if changed or _asks_by_itself(session, latest, incoming) or incoming.sales_sourced_by:
        _ask_for_new_score(session, latest, activity_id, now)
    in_hand.take_note(session, latest, incoming, activity_id, now=now)
    return Captured("activity", lead_id, latest.id)


def _keep_repeated(session: Session, lead: Lead, found: Recognised, incoming: IncomingLead, *, now: datetime) -> None:
    """Keeps what a repetition says otherwise: it fills gaps and is kept beside known facts, and replaces nothing."""
    named = found.named or lead
    facts_told = told.take(named, incoming, may_replace=False, may_fill=not found.ambiguous, now=now)
    if activities.said_otherwise(session, lead, incoming, now=now):
        told.keep_beside(named, "message", incoming.message, incoming.source, now=now)
    if facts_told:
        session.add(named)
        history.remember(session, named, now=now)


def _take_facts(session: Session, lead: Lead, found: Recognised, incoming: IncomingLead, *, moved: bool, now: datetime) -> told.Told:
    """Stores what the conversion says about the person: the facts, and the address where this lead has none of its own yet."""
    facts_told = told.take(lead, incoming, may_replace=found.own or moved, may_fill=not found.ambiguous, now=now)
    first = not identity.person_key(lead.email) and not found.ambiguous
    if incoming.email and (moved or (first and (not lead.email or identity.person_key(incoming.email)))):
        leads.take_address(session, lead, incoming.email)
    elif incoming.email and mail_key(incoming.email) != lead.mail_key:
        told.keep_beside(lead, "email", incoming.email, incoming.source, now=now)
    return facts_told


def seen_to(session: Session, lead_id: int, now: datetime) -> Handoff | None:
    """The lead's handoff as it is now. A nurtured one becomes due for review at once."""
    latest = handoffs.latest_of(session, lead_id)
    if latest is None or latest.stage != Stage.NURTURING:
        return latest
    revisit = waits.open_of(session, latest.id, lock=True)
    if revisit is None:  # somebody has just reviewed it: their result counts
        session.refresh(latest)
        return handoffs.latest_of(session, lead_id)
    revisit.next_at = now
    session.add(revisit)
    return latest


def _asks_by_itself(session: Session, handoff: Handoff, incoming: IncomingLead) -> bool:
    return bool(handoff.agreement) and incoming.activity in handoffs.agreement_of(session, handoff).qualification.fast_lane


def _ask_for_new_score(session: Session, handoff: Handoff, activity_id: int, now: datetime) -> None:
    """Scores a lead that waits for a rep again at once: a request must not wait behind a list, for example."""
    if handoff.stage in (Stage.INQUIRY, Stage.MQL) and not handoff.held:
        wakes.add(session, handoff.id, "rescore", key=f"rescore:{handoff.id}:{activity_id}", not_before=now)


def _begin_linked(
    session: Session, before: Lead, incoming: IncomingLead, *, now: datetime, actor: str, hold: bool, takes_id: bool
) -> Captured:
    """Gives a known person who is at another company, or under another address, a new lead, linked to the one before."""
    company = another_company((before.company, before.email), (incoming.company, incoming.email))
    lead = leads.add(session, incoming, now=now, key=identity.free_key(session, incoming.email), takes_id=takes_id)
    lead.linked_to = before.id
    if not incoming.email:  # a name joins no address with which it did not come
        lead.first_name, lead.last_name = lead.first_name or before.first_name, lead.last_name or before.last_name
    session.add(lead)
    if not takes_id:
        identity.share(session, incoming, lead)
    more: dict[str, Any] = {} if company else {"address": True}
    trail.record(session, "moved-on", now=now, lead_id=before.id, actor=actor, to=lead.id, **more)
    trail.record(session, "linked", now=now, lead_id=lead.id, actor=actor, to=before.id, **more)
    activities.add(session, lead, incoming, now=now, actor=actor)
    opting_out.take_refusal(session, lead, incoming, now=now, actor=actor)
    cause: BeganBy = "another-company" if company else "another-address"
    return Captured("new", lead.id, begin(session, lead, now=now, cause=cause, previous=None, hold=hold))


def _changes_of(session: Session, lead: Lead, incoming: IncomingLead, now: datetime) -> list[EventKind]:
    """The changes for which the agreement wants a new score, as events of the trail: role-changed, company-changed."""
    role = another_role(lead.job_title, incoming.job_title)
    moved = another_company((lead.company, lead.email), (incoming.company, incoming.email))
    if not role and not moved:
        return []
    rules = _on_change(session, lead, now)
    found: dict[EventKind, bool] = {
        "role-changed": role and rules.job_title == "rescore",
        "company-changed": moved and rules.company == "rescore",
    }
    return [event for event, holds in found.items() if holds]


def _on_change(session: Session, lead: Lead, now: datetime) -> OnChange:
    """The agreed rule for a change: from the version of the lead's latest handoff, else from the one in force."""
    latest = handoffs.latest_of(session, lead.id)
    if latest and latest.agreement:
        return handoffs.agreement_of(session, latest).qualification.on_change
    try:
        return contracts.read(contracts.in_force(session, now, leads.facts(session, lead).values)).qualification.on_change
    except NoAgreementInForce:
        return OnChange()
