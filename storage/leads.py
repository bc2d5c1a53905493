"""Leads and what they did: takes leads in and recognises who was here before. facts.py has the facts that rules may ask about."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session, col, select

from agreements.lead import IncomingLead, mail_key
from agreements.lifecycle import Stage
from storage import consents, erased, handoffs, history, identity, told, trail, waits, wakes
from storage.changes import at_company, changes_of, has_done, key_of, on_change
from storage.facts import brought_in_by, facts, facts_for, newest_activity_at
from storage.starting import NO_AGREEMENT, RELEASED_AT_ONCE, Released, begin, count_held, release, release_held
from storage.tables import Activity, Handoff, Lead, LeadSource, Wait

__all__ = [
    "NO_AGREEMENT",
    "RELEASED_AT_ONCE",
    "Captured",
    "Released",
    "TakenAs",
    "begin",
    "brought_in_by",
    "capture",
    "count_held",
    "facts",
    "facts_for",
    "newest_activity_at",
    "open_revisits",
    "release_held",
]


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
    found = _survivor(session, source) if source else identity.same_person(session, incoming.email)
    if found is None:
        lead = _new_lead(session, incoming, now=now, key=identity.person_key(incoming.email))
        _add_activity(session, lead, incoming, now=now, actor=actor)
        return Captured("new", lead.id, begin(session, lead, now=now, cause="inquiry", previous=None, hold=hold))
    lead, moved = at_company(session, identity.lock_person(session, found), incoming)
    if moved and on_change(session, lead, now).company == "new-linked-lead":
        return _begin_linked(session, lead, incoming, now=now, actor=actor, hold=hold, takes_id=not source)
    if not source:
        _merge(session, lead, incoming, now=now, actor=actor)
    own = source is not None and source.lead_id == lead.id
    done = _known(session, lead, incoming, own=own, now=now, actor=actor)
    return done if source else Captured("merged", done.lead_id, done.handoff_id)


def _merge(session: Session, into: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> None:
    """Stores a known person's new id as a lead of its own, which ends at once."""
    lead = _new_lead(session, incoming, now=now, key="")
    lead.merged_into = into.id
    ended: dict[str, Any] = {"stage": Stage.MERGED, "outcome": "merged", "reason": "duplicate", "owner": "marketing"}
    session.add(Handoff(lead_id=lead.id, created_at=now, ended_at=now, **ended))
    trail.record(session, "merged", now=now, lead_id=lead.id, actor=actor, into=into.id)


def _known(session: Session, lead: Lead, incoming: IncomingLead, *, own: bool, now: datetime, actor: str) -> Captured:
    """Adds a conversion to a lead that is known and locked. own: the conversion came under an id of this very lead."""
    lead_id = lead.id
    activity_id = _add_activity(session, lead, incoming, now=now, actor=actor)
    if not activity_id:
        return Captured("repeated", lead_id)
    changed = changes_of(session, lead, incoming, now)
    moved = "company-changed" in changed
    facts_told = told.take(lead, incoming, may_replace=own or moved, now=now)
    _bring_up_to_date(session, lead, incoming, moved=moved)
    history.remember(session, lead, now=now)
    latest = _seen_to(session, lead_id, now)
    for event in changed:
        trail.record(session, event, now=now, handoff=latest, lead_id=lead_id, actor=actor)
    if facts_told and latest is not None and latest.ended_at is None:
        names: dict[str, Any] = {how: list(of) for how, of in asdict(facts_told).items() if of}
        trail.record(session, "facts-told", now=now, handoff=latest, actor=actor, source=incoming.source, **names)
    if latest is not None and latest.held and latest.reason == NO_AGREEMENT:
        release(session, latest, now=now)
    if latest is None or (latest.ended_at and latest.stage not in (Stage.NURTURING, Stage.SUPPRESSED, Stage.ERASED)):
        return Captured("new", lead_id, begin(session, lead, now=now, cause="returned", previous=latest))
    if changed or _asks_by_itself(session, latest, incoming) or incoming.sales_sourced_by:
        _ask_for_new_score(session, latest, activity_id, now)
    return Captured("activity", lead_id, latest.id)


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
    lead = _new_lead(session, incoming, now=now, key=identity.free_key(session, incoming.email), takes_id=takes_id)
    lead.linked_to = before.id
    lead.first_name, lead.last_name = lead.first_name or before.first_name, lead.last_name or before.last_name
    session.add(lead)
    trail.record(session, "moved-on", now=now, lead_id=before.id, actor=actor, to=lead.id)
    trail.record(session, "linked", now=now, lead_id=lead.id, actor=actor, to=before.id)
    _add_activity(session, lead, incoming, now=now, actor=actor)
    return Captured("new", lead.id, begin(session, lead, now=now, cause="another-company", previous=None, hold=hold))


def _survivor(session: Session, source: LeadSource) -> Lead:
    """The lead of this source, or the one that it was merged into."""
    lead = session.get(Lead, source.lead_id)
    assert lead is not None, "a source always names a lead: the foreign key says so"
    while lead.merged_into and (other := session.get(Lead, lead.merged_into)):
        lead = other
    return lead


def _new_lead(session: Session, incoming: IncomingLead, *, now: datetime, key: str, takes_id: bool = True) -> Lead:
    """Stores a new lead. key: the person key from now on, empty for none. takes_id: the source id names this lead from now on."""
    named = "source email first_name last_name phone company job_title country entry_channel campaign requested_time do_not_contact"
    lead = Lead(
        **{name: getattr(incoming, name) for name in named.split()},
        mail_key=mail_key(incoming.email),
        person_key=key,
        values=dict(incoming.fields),
        created_at=now,
    )
    session.add(lead)
    session.flush()
    if takes_id:
        session.add(LeadSource(source=incoming.source, source_id=incoming.source_id, lead_id=lead.id))
    history.remember(session, lead, now=now)
    return lead


def _bring_up_to_date(session: Session, lead: Lead, incoming: IncomingLead, *, moved: bool) -> None:
    if moved and incoming.email:
        if mail_key(incoming.email) != lead.mail_key:
            lead.mail_key, lead.person_key = mail_key(incoming.email), identity.free_key(session, incoming.email)
        lead.email = incoming.email
    lead.source = incoming.source
    lead.campaign = incoming.campaign or lead.campaign
    lead.requested_time = incoming.requested_time or lead.requested_time
    lead.do_not_contact = lead.do_not_contact or incoming.do_not_contact
    session.add(lead)


def _add_activity(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> int | None:
    """The new activity's id; None where the activity is already stored."""
    lead_id, key = lead.id, key_of(incoming)
    if has_done(session, lead, key):
        return None
    text = trail.keep_text(session, incoming.message, lead_id=lead_id)
    at = min(incoming.at or now, now)
    row = Activity(
        lead_id=lead_id,
        key=key,
        kind=incoming.activity,
        at=at,
        path=incoming.path,
        campaign=incoming.campaign,
        text_id=text.id if text else None,
        brought_by=incoming.sales_sourced_by,
        received_at=now,
    )
    session.add(row)
    consents.keep(session, lead_id, incoming.consents, now=now)
    said: dict[str, Any] = {"activity": incoming.activity}
    if incoming.sales_sourced_by:
        said["brought_by"] = incoming.sales_sourced_by
    trail.record(session, "activity", now=at, lead_id=lead_id, actor=actor, text=text, **said)
    session.flush()
    return row.id


def open_revisits(session: Session, *, now: datetime, limit: int = 500) -> list[Wait]:
    """The due waits of nurtured leads that should be reviewed again."""
    query = select(Wait).where(Wait.kind == "revisit", col(Wait.closed_at).is_(None), col(Wait.next_at) <= now)
    return list(session.exec(query.order_by(col(Wait.next_at)).limit(limit)))
