"""Leads and what they did: taking in, recognising, and the facts that the rules ask about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.lead import Done, IncomingLead, LeadFacts, domain_of, mail_key
from agreements.lifecycle import Stage
from storage import contracts, handoffs, roster, trail, waits, wakes
from storage.tables import Activity, Handoff, Lead, LeadSource, Wait

#: Mailboxes that several people read: two leads with one of them are not the same person.
ROLE_MAILBOXES = frozenset(
    """
    info sales contact office admin hello mail enquiries support team service marketing hr accounts
    """.split()
)


#: Why a handoff is held that nobody asked to hold.
NO_AGREEMENT = "no-agreement-in-force"


@dataclass(frozen=True, slots=True)
class Captured:
    """What taking in did. kind: new (a handoff began), activity (added to a known lead), merged (a known person under a
    new id), repeated (nothing: it was here already)."""

    kind: str
    lead_id: int
    handoff_id: int | None = None


def capture(session: Session, incoming: IncomingLead, *, now: datetime, actor: str = "intake", hold: bool = False) -> Captured:
    """Takes in one inquiry. Call inside a write transaction: lead, activity, handoff and wake are stored together.

    Same source id and same conversion: nothing. New conversion: an activity. A lead that had ended: a new handoff.
    hold: store, but do not start.
    """
    known = session.get(LeadSource, (incoming.source, incoming.source_id))
    if known:
        lead = session.get(Lead, known.lead_id)
        assert lead is not None, "a source always names a lead: the foreign key says so"
        return _known(session, _survivor(session, lead), incoming, now=now, actor=actor)
    same = _same_person(session, incoming.email)
    lead = _new_lead(session, incoming, now=now)
    lead_id = lead.id or 0
    session.add(LeadSource(source=incoming.source, source_id=incoming.source_id, lead_id=lead_id))
    if same:
        lead.merged_into = same.id
        session.add(_handoff(lead, now, stage=Stage.MERGED, ended_at=now, outcome="merged", reason="duplicate", owner="marketing"))
        trail.record(session, "merged", now=now, lead_id=lead_id, actor=actor, into=same.id)
        result = _known(session, same, incoming, now=now, actor=actor)
        return Captured("merged", same.id or 0, result.handoff_id)
    _add_activity(session, lead, incoming, now=now, actor=actor)
    return Captured("new", lead_id, _begin(session, lead, now=now, cause="inquiry", hold=hold))


def _known(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> Captured:
    lead_id = lead.id or 0
    if not _add_activity(session, lead, incoming, now=now, actor=actor):
        return Captured("repeated", lead_id)
    _bring_up_to_date(lead, incoming)
    session.add(lead)
    latest = handoffs.latest_of(session, lead_id)
    if latest is not None and latest.held and latest.reason == NO_AGREEMENT:
        _release(session, latest, now=now)
    if latest is None or (latest.ended_at and latest.stage not in (Stage.NURTURING, Stage.SUPPRESSED, Stage.ERASED)):
        return Captured("new", lead_id, _begin(session, lead, now=now, cause="returned", previous=latest))
    if latest.stage == Stage.NURTURING:
        revisit = waits.open_of(session, latest.id or 0)
        if revisit:
            revisit.next_at = now
            session.add(revisit)
    return Captured("activity", lead_id, latest.id)


def _survivor(session: Session, lead: Lead) -> Lead:
    while lead.merged_into and (other := session.get(Lead, lead.merged_into)):
        lead = other
    return lead


def _same_person(session: Session, email: str) -> Lead | None:
    key = mail_key(email)
    if not key or key.partition("@")[0] in ROLE_MAILBOXES:
        return None
    return session.exec(select(Lead).where(Lead.mail_key == key, col(Lead.merged_into).is_(None)).limit(1)).first()


def _new_lead(session: Session, incoming: IncomingLead, *, now: datetime) -> Lead:
    named = "source email first_name last_name phone company job_title country entry_channel campaign requested_time do_not_contact"
    lead = Lead(
        **{name: getattr(incoming, name) for name in named.split()},
        mail_key=mail_key(incoming.email),
        values=dict(incoming.fields),
        created_at=now,
    )
    session.add(lead)
    session.flush()
    return lead


def _bring_up_to_date(lead: Lead, incoming: IncomingLead) -> None:
    for name in ("first_name", "last_name", "phone", "company", "job_title", "country"):
        setattr(lead, name, getattr(incoming, name) or getattr(lead, name))
    lead.values = {**lead.values, **{key: value for key, value in incoming.fields.items() if value not in (None, "")}}
    lead.source = incoming.source
    lead.campaign = incoming.campaign or lead.campaign
    lead.requested_time = incoming.requested_time or lead.requested_time
    lead.do_not_contact = lead.do_not_contact or incoming.do_not_contact


def _add_activity(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> bool:
    lead_id = lead.id or 0
    key = f"{incoming.source}:{incoming.source_id}:{incoming.key_of_conversion()}"[:500]
    if session.exec(select(Activity.id).where(Activity.lead_id == lead_id, Activity.key == key)).first():
        return False
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
        received_at=now,
    )
    session.add(row)
    trail.record(
        session, "activity", now=at, lead_id=lead_id, actor=actor, text=text, activity=incoming.activity, campaign=incoming.campaign
    )
    session.flush()
    return True


def _handoff(lead: Lead, now: datetime, **more: Any) -> Handoff:
    return Handoff(lead_id=lead.id or 0, created_at=now, **more)


#: Causes for which the rounds in nurture are counted on.
_GOES_ON = ("new-evidence", "new-version")


def begin(session: Session, lead: Lead, *, now: datetime, cause: str, previous: Handoff | None, hold: bool = False) -> int:
    """A new handoff of a known lead, linked to the earlier one; its id. hold: do not start it."""
    return _begin(session, lead, now=now, cause=cause, previous=previous, hold=hold)


def _begin(session: Session, lead: Lead, *, now: datetime, cause: str, previous: Handoff | None = None, hold: bool = False) -> int:
    handoff = _handoff(lead, now, previous_id=previous.id if previous else None, held=hold)
    handoff.revisits = previous.revisits if previous and cause in _GOES_ON else 0
    session.add(handoff)
    session.flush()
    try:
        handoffs.born_under(session, handoff, at=now, values=facts(session, lead).values)
    except NoAgreementInForce:
        handoff.held, handoff.reason = True, "" if hold else NO_AGREEMENT
    kind, actor = ("started-anew", "baton") if cause == "new-version" else ("captured", "intake")
    trail.record(session, kind, now=now, handoff=handoff, actor=actor, cause=cause, held=handoff.held)
    if not handoff.held:
        wakes.add(session, handoff.id or 0, "capture", key=f"capture:{handoff.id}", not_before=now)
    session.flush()
    return handoff.id or 0


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
    return sum(_release(session, handoff, now=now) for handoff in rows)


def _release(session: Session, handoff: Handoff, *, now: datetime) -> bool:
    try:
        handoffs.born_under(session, handoff, at=now, values=facts(session, handoffs.lead_of(session, handoff)).values)
    except NoAgreementInForce:
        handoff.reason = NO_AGREEMENT
        session.add(handoff)
        return False
    handoff.held, handoff.reason = False, ""
    session.add(handoff)
    wakes.add(session, handoff.id or 0, "capture", key=f"capture:{handoff.id}", not_before=now)
    return True


def facts(session: Session, lead: Lead, *, account: dict[str, Any] | None = None, since: datetime | None = None) -> LeadFacts:
    """What the rules may ask about this lead. account: what the CRM says of the company, by `status`, `owner` …

    since: the end of the handoff before, None for a first one.
    """
    values: dict[str, Any] = {
        **lead.values,
        "email": lead.email,
        "email_domain": domain_of(lead.email),
        "phone": lead.phone,
        "company": lead.company,
        "job_title": lead.job_title,
        "country": lead.country,
        "entry_channel": lead.entry_channel,
        "source": lead.source,
        "campaign": lead.campaign,
        "suppressed": lead.do_not_contact or roster.is_suppressed(session, lead.email, lead.phone),
        **{f"account.{name}": value for name, value in (account or {}).items()},
    }
    rows = session.exec(select(Activity).where(Activity.lead_id == lead.id).order_by(col(Activity.at), col(Activity.id)))
    done = tuple(Done(row.kind, row.at, row.path) for row in rows)
    known = {name: value for name, value in values.items() if value not in (None, "")}
    return LeadFacts(MappingProxyType(known), done, lead.last_touch_at, lead.entry_channel, since)


def facts_for(session: Session, handoff: Handoff, *, account: dict[str, Any] | None = None) -> LeadFacts:
    """What the rules may ask about the lead of this handoff."""
    previous = handoffs.before(session, handoff)
    lead = handoffs.lead_of(session, handoff)
    return facts(session, lead, account=account, since=previous.ended_at if previous else None)


def newest_activity_at(session: Session, lead_id: int) -> datetime | None:
    """When the newest thing that this lead did was received, aware; None for nothing."""
    return session.exec(select(Activity.received_at).where(Activity.lead_id == lead_id).order_by(col(Activity.id).desc()).limit(1)).first()


def open_revisits(session: Session, *, now: datetime, limit: int = 500) -> list[Wait]:
    """Nurtured leads to be looked at again."""
    query = select(Wait).where(Wait.kind == "revisit", col(Wait.closed_at).is_(None), col(Wait.next_at) <= now)
    return list(session.exec(query.order_by(col(Wait.next_at)).limit(limit)))
