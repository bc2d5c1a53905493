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
from agreements.lead import IncomingLead
from agreements.lifecycle import Stage
from agreements.model import OnChange
from agreements.opt_out import refused_by
from agreements.words import EventKind
from storage import activities, contracts, erased, handoffs, history, identity, leads, linked, suppressions, told, trail, waits, wakes
from storage.handoffs import NO_AGREEMENT
from storage.tables import Handoff, Lead, LeadSource
from tasks import opting_out
from tasks.begin import begin, release

#: What became of a conversion that was taken in.
TakenAs = Literal["new", "activity", "merged", "repeated"]


@dataclass(frozen=True, slots=True)
class Captured:
    """The result of taking in. kind: new (a handoff began), activity (added to a known lead), merged (a known person under a new id),
    repeated (nothing: the conversion was here already)."""

    kind: TakenAs
    lead_id: int
    handoff_id: int | None = None


def capture(
    session: Session, incoming: IncomingLead, *, now: datetime, actor: str = "intake", hold: bool = False, reserved: bool = False
) -> Captured:
    """Takes in one inquiry. Call inside a write transaction: lead, activity, handoff and wake are stored together.

    For an erased person Baton stores only that somebody whom nobody may contact made an inquiry.
    Same source id and same conversion: nothing. New conversion: an activity. A lead that had ended: a new handoff.
    hold: store, but do not start. reserved: the caller has reserved it with identity.reserve, together with others.
    Raises IntegrityError where another transaction stored the same person first: see identity.again_if_taken.
    """
    if not reserved:
        identity.reserve(session, [incoming])
    if erased.is_erased(session, incoming):
        incoming = erased.without_person(session, incoming)
    source = session.get(LeadSource, (incoming.source, incoming.source_id))
    found = leads.of_source(session, source) if source else identity.same_person(session, incoming.email)
    if found is None:
        lead = leads.add(session, incoming, now=now, key=identity.person_key(incoming.email))
        activities.add(session, lead, incoming, now=now, actor=actor)
        _take_refusal(session, lead, incoming, now=now, actor=actor)
        return Captured("new", lead.id, begin(session, lead, now=now, cause="inquiry", previous=None, hold=hold))
    lead, moved = _at_company(session, identity.lock_person(session, found), incoming)
    if moved and _on_change(session, lead, now).company == "new-linked-lead":
        return _begin_linked(session, lead, incoming, now=now, actor=actor, hold=hold, takes_id=not source)
    if not source:  # a known person's new id becomes a lead of its own, which ends at once
        leads.end_merged(session, leads.add(session, incoming, now=now, key=""), into=lead, now=now, actor=actor)
    own = source is not None and source.lead_id == lead.id
    done = _known(session, lead, incoming, own=own, now=now, actor=actor)
    return done if source else Captured("merged", done.lead_id, done.handoff_id)


def _at_company(session: Session, lead: Lead, incoming: IncomingLead) -> tuple[Lead, bool]:
    """This person's lead at the company that the conversion names; else the newest lead, and True: the person has moved."""
    line = [one for one in linked.line_of(session, lead) if one.erased_at is None]
    key = activities.key_of(incoming)
    done = [one for one in line if len(line) > 1 and activities.has_done(session, one, key)]
    here = [one for one in line if not another_company((one.company, one.email), (incoming.company, incoming.email))]
    return (done or here or line)[-1], not done and not here


def _known(session: Session, lead: Lead, incoming: IncomingLead, *, own: bool, now: datetime, actor: str) -> Captured:
    """Adds a conversion to a lead that is known and locked. own: the conversion came under an id of this very lead."""
    lead_id = lead.id
    activity_id = activities.add(session, lead, incoming, now=now, actor=actor)
    if not activity_id:
        _take_refusal(session, lead, incoming, now=now, actor=actor)
        return Captured("repeated", lead_id)
    changed = _changes_of(session, lead, incoming, now)
    moved = "company-changed" in changed
    facts_told = told.take(lead, incoming, may_replace=own or moved, now=now)
    leads.bring_up_to_date(session, lead, incoming, moved=moved)
    history.remember(session, lead, now=now)
    _take_refusal(session, lead, incoming, now=now, actor=actor)
    latest = _seen_to(session, lead_id, now)
    for event in changed:
        trail.record(session, event, now=now, handoff=latest, lead_id=lead_id, actor=actor)
    if facts_told and latest is not None and latest.ended_at is None:
        names: dict[str, Any] = {how: list(of) for how, of in asdict(facts_told).items() if of}
        trail.record(session, "facts-told", now=now, handoff=latest, actor=actor, source=incoming.source, **names)
    if latest is not None and latest.held and latest.reason == NO_AGREEMENT:
        release(session, latest, now=now)
    if latest is None or _asks_anew(session, lead, latest):
        return Captured("new", lead_id, begin(session, lead, now=now, cause="returned", previous=latest))
    if changed or _asks_by_itself(session, latest, incoming) or incoming.sales_sourced_by:
        _ask_for_new_score(session, latest, activity_id, now)
    return Captured("activity", lead_id, latest.id)


def _asks_anew(session: Session, lead: Lead, latest: Handoff) -> bool:
    """Whether what the lead does now begins a new handoff: the last one has ended, and not in nurture.

    A person who asked not to be contacted asks anew only after somebody took them from the list.
    """
    if latest.ended_at is None or latest.stage in (Stage.NURTURING, Stage.ERASED) or lead.do_not_contact:
        return False
    return latest.stage != Stage.SUPPRESSED or (latest.reason == opting_out.REASON and not linked.is_suppressed(session, lead))


def _take_refusal(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> None:
    """Carries out what the inquiry refuses, and notes what the list says about this address and number."""
    if channel := refused_by(incoming):
        told = suppressions.Told(channel, source=incoming.source, by=actor, since=incoming.at)
        opting_out.opt_out(session, lead, told, now=now)
    listed = suppressions.of_address(session, lead.email, lead.phone) - {"all"}
    if listed:
        lead.not_by = " ".join(sorted({*lead.not_by.split(), *listed}))
        session.add(lead)


def _seen_to(session: Session, lead_id: int, now: datetime) -> Handoff | None:
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
    """Gives a person who changed company a new lead there, linked to the one before."""
    lead = leads.add(session, incoming, now=now, key=identity.free_key(session, incoming.email), takes_id=takes_id)
    lead.linked_to = before.id
    lead.first_name, lead.last_name = lead.first_name or before.first_name, lead.last_name or before.last_name
    session.add(lead)
    trail.record(session, "moved-on", now=now, lead_id=before.id, actor=actor, to=lead.id)
    trail.record(session, "linked", now=now, lead_id=lead.id, actor=actor, to=before.id)
    activities.add(session, lead, incoming, now=now, actor=actor)
    _take_refusal(session, lead, incoming, now=now, actor=actor)
    return Captured("new", lead.id, begin(session, lead, now=now, cause="another-company", previous=None, hold=hold))


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
