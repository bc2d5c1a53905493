"""Leads and what they did: taking in, and recognising who was here before. What the rules may ask of them is in facts.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.errors import NoAgreementInForce
from agreements.lead import IncomingLead, mail_key
from agreements.lifecycle import Stage
from agreements.qualification import fast_lane
from storage import contracts, handoffs, history, trail, waits, wakes
from storage.changes import at_company, changes_of, has_done, key_of, on_change
from storage.database import ROWS_AT_ONCE
from storage.facts import brought_in_by, facts, facts_for, newest_activity_at
from storage.tables import Activity, Handoff, Lead, LeadSource, Wait

__all__ = [
    "Captured", "Released", "begin", "brought_in_by", "capture", "count_held", "facts", "facts_for", "newest_activity_at",
    "open_revisits", "release_held",
]  # fmt: skip

#: Mailboxes that several people read: two leads with one of them are not the same person.
ROLE_MAILBOXES = frozenset(
    """
    info sales contact office admin hello mail enquiries support team service marketing hr accounts
    """.split()
)


#: Why a handoff is held that nobody asked to hold.
NO_AGREEMENT = "no-agreement-in-force"


#: So many held handoffs start in one transaction: each changes two rows, its own and a wake.
RELEASED_AT_ONCE = ROWS_AT_ONCE // 2


@dataclass(frozen=True, slots=True)
class Released:
    """What one transaction of releasing did. started: handoffs that began; looked_at: these and those that stay held; last: the
    highest id of them, None where none was left."""

    started: int = 0
    looked_at: int = 0
    last: int | None = None


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
        lead, moved = at_company(session, _survivor(session, lead), incoming)
        if moved and on_change(session, lead, now).company == "new-linked-lead":
            new = _new_lead(session, incoming, now=now)
            return _begin_linked(session, new, lead, incoming, now=now, actor=actor, hold=hold)
        return _known(session, lead, incoming, now=now, actor=actor)
    same = _same_person(session, incoming.email)
    moved_from = None
    if same:
        same, moved = at_company(session, same, incoming)
        moved_from = same if moved and on_change(session, same, now).company == "new-linked-lead" else None
    lead = _new_lead(session, incoming, now=now)
    lead_id = lead.id or 0
    session.add(LeadSource(source=incoming.source, source_id=incoming.source_id, lead_id=lead_id))
    if moved_from:
        return _begin_linked(session, lead, moved_from, incoming, now=now, actor=actor, hold=hold)
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
    activity_id = _add_activity(session, lead, incoming, now=now, actor=actor)
    if not activity_id:
        return Captured("repeated", lead_id)
    changed = changes_of(session, lead, incoming, now)
    _bring_up_to_date(lead, incoming, moved="company-changed" in changed)
    session.add(lead)
    history.remember(session, lead, now=now)
    latest = handoffs.latest_of(session, lead_id)
    for event in changed:
        trail.record(session, event, now=now, handoff=latest, lead_id=lead_id, actor=actor)
    if latest is not None and latest.held and latest.reason == NO_AGREEMENT:
        _release(session, latest, now=now)
    if latest is None or (latest.ended_at and latest.stage not in (Stage.NURTURING, Stage.SUPPRESSED, Stage.ERASED)):
        return Captured("new", lead_id, _begin(session, lead, now=now, cause="returned", previous=latest))
    if latest.stage == Stage.NURTURING:
        revisit = waits.open_of(session, latest.id or 0)
        if revisit:
            revisit.next_at = now
            session.add(revisit)
    elif changed or _asks_by_itself(session, latest, incoming) or incoming.sales_sourced_by:
        _ask_for_new_score(session, latest, activity_id, now)
    return Captured("activity", lead_id, latest.id)


def _asks_by_itself(session: Session, handoff: Handoff, incoming: IncomingLead) -> bool:
    return bool(handoff.agreement) and incoming.activity in handoffs.agreement_of(session, handoff).qualification.fast_lane


def _ask_for_new_score(session: Session, handoff: Handoff, activity_id: int, now: datetime) -> None:
    """Whoever waits for a rep is judged again at once: a request must not stand in line behind a list, say."""
    if handoff.stage in (Stage.INQUIRY, Stage.MQL) and not handoff.held:
        wakes.add(session, handoff.id or 0, "rescore", key=f"rescore:{handoff.id}:{activity_id}", not_before=now)


def _begin_linked(session: Session, lead: Lead, before: Lead, incoming: IncomingLead, *, now: datetime, actor: str, hold: bool) -> Captured:
    """The person is at another company now: a lead of its own there, linked to the one before."""
    lead.linked_to = before.id
    lead.first_name, lead.last_name = lead.first_name or before.first_name, lead.last_name or before.last_name
    session.add(lead)
    trail.record(session, "moved-on", now=now, lead_id=before.id, actor=actor, to=lead.id)
    trail.record(session, "linked", now=now, lead_id=lead.id, actor=actor, to=before.id)
    _add_activity(session, lead, incoming, now=now, actor=actor)
    return Captured("new", lead.id or 0, _begin(session, lead, now=now, cause="another-company", hold=hold))


def _survivor(session: Session, lead: Lead) -> Lead:
    while lead.merged_into and (other := session.get(Lead, lead.merged_into)):
        lead = other
    return lead


def _same_person(session: Session, email: str) -> Lead | None:
    key = mail_key(email)
    if not key or key.partition("@")[0] in ROLE_MAILBOXES:
        return None
    return session.exec(
        select(Lead).where(Lead.mail_key == key, col(Lead.merged_into).is_(None)).order_by(col(Lead.id).desc()).limit(1)
    ).first()


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
    history.remember(session, lead, now=now)
    return lead


def _bring_up_to_date(lead: Lead, incoming: IncomingLead, *, moved: bool) -> None:
    if moved and incoming.email:
        lead.email, lead.mail_key = incoming.email, mail_key(incoming.email)
    for name in ("first_name", "last_name", "phone", "company", "job_title", "country"):
        setattr(lead, name, getattr(incoming, name) or getattr(lead, name))
    lead.values = {**lead.values, **{key: value for key, value in incoming.fields.items() if value not in (None, "")}}
    lead.source = incoming.source
    lead.campaign = incoming.campaign or lead.campaign
    lead.requested_time = incoming.requested_time or lead.requested_time
    lead.do_not_contact = lead.do_not_contact or incoming.do_not_contact


def _add_activity(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> int | None:
    """The new activity's id; None for one that is there already."""
    lead_id, key = lead.id or 0, key_of(incoming)
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
    said = {"activity": incoming.activity, "campaign": incoming.campaign, **_brought_by(incoming.sales_sourced_by)}
    trail.record(session, "activity", now=at, lead_id=lead_id, actor=actor, text=text, **said)
    session.flush()
    return row.id


def _brought_by(rep: str) -> dict[str, Any]:
    return {"brought_by": rep} if rep else {}


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
    more = _brought_by(handoff.brought_by)
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


def release_held(
    session: Session, *, now: datetime, after: int = 0, limit: int = RELEASED_AT_ONCE, only_without_agreement: bool = False
) -> Released:
    """Starts the next few handoffs that were stored but held. Call inside a write transaction, again and again with the `last`
    that the call before returned; tasks/held.py does.

    One that no agreement in force is for stays held for want of one. after: only those with a higher id. limit: at most so many
    start. only_without_agreement: just those that were held for want of an agreement. Raises NoAgreementInForce otherwise, where
    none is in force at all.
    """
    if not contracts.counting(session, now):
        if only_without_agreement:
            return Released()
        raise NoAgreementInForce()
    query = _held(select(Handoff), only_without_agreement).where(col(Handoff.id) > after).order_by(col(Handoff.id))
    started, looked_at, last = 0, 0, None
    for handoff in session.exec(query.limit(RELEASED_AT_ONCE).with_for_update(key_share=True)).all():
        if started < limit:
            started += _release(session, handoff, now=now)
            looked_at, last = looked_at + 1, handoff.id
    return Released(started, looked_at, last)


def count_held(session: Session) -> int:
    """How many handoffs are stored but held."""
    return session.exec(_held(select(func.count()).select_from(Handoff), False)).one()  # type: ignore[no-any-return]


def _held(query: Any, only_without_agreement: bool) -> Any:
    query = query.where(col(Handoff.held).is_(True))
    return query.where(Handoff.reason == NO_AGREEMENT) if only_without_agreement else query


def _release(session: Session, handoff: Handoff, *, now: datetime) -> bool:
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


def open_revisits(session: Session, *, now: datetime, limit: int = 500) -> list[Wait]:
    """Nurtured leads to be looked at again."""
    query = select(Wait).where(Wait.kind == "revisit", col(Wait.closed_at).is_(None), col(Wait.next_at) <= now)
    return list(session.exec(query.order_by(col(Wait.next_at)).limit(limit)))
