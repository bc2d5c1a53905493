"""Opting out: a person said that nobody may contact them. Everything under way about them ends in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from agreements import crm_words, presence
from agreements.lead import IncomingLead
from agreements.lifecycle import Stage
from agreements.opt_out import dialled_key, phone_key, refused_by
from agreements.words import SEVERAL, OptOutChannel
from storage import clearing, deliveries, disputes, handoffs, held, leases, linked, offers, roster, suppressions, trail, waits, wakes
from storage.suppressions import Told
from storage.tables import Answer, Assignment, Delivery, DeliveryState, DigestItem, Dispute, Handoff, Lead

#: The message that tells the rep: the only one about the lead that still goes out.
MESSAGE: Final = "do-not-contact"
#: The reason of a handoff that ended so.
REASON: Final = "do-not-contact"


def opt_out(session: Session, lead: Lead, told: Told, *, now: datetime, keep: Handoff | None = None) -> list[int]:
    """Lists the person of this lead, and ends everything about them at once; returns the handoffs that it ended.

    A refusal of one channel ends nothing: the person's pages and messages lose that address. keep: the handoff that the caller
    ends itself. Call inside a write transaction. A second call changes nothing more.
    """
    for value in _listed_as(lead, told.channel):
        suppressions.suppress(session, value, reason=REASON, now=now, told=told)
    return end_for(session, person_of(session, lead), told, now=now, keep=keep)


def _listed_as(lead: Lead, channel: OptOutChannel) -> list[str]:
    """The values under which the person is listed: a refusal of one channel goes with the address, else with the number."""
    numbers = (phone_key(lead.phone), dialled_key(lead.phone, lead.country))
    values = suppressions.of_person(lead.email, "") + [one for one in dict.fromkeys(numbers) if one]
    return values if channel == "all" else values[:1]


def person_of(session: Session, lead: Lead) -> list[Lead]:
    """Every lead of the same person: under other ids, at other companies, and with the same address. The given one comes first."""
    found = {lead.id: lead}
    for one in (one for near in linked.line_of(session, lead) for one in clearing.person_of(session, near.id).leads):
        if row := session.get(Lead, one):
            found.setdefault(row.id, row)
    keys = [one.mail_key for one in found.values() if one.mail_key]
    same = session.exec(select(Lead).where(col(Lead.mail_key).in_(keys)).order_by(col(Lead.id))) if keys else ()
    return list((found | {one.id: one for one in same if one.id not in found}).values())


def end_for(session: Session, leads: Iterable[Lead], told: Told, *, now: datetime, keep: Handoff | None = None) -> list[int]:
    """Does for these leads what `opt_out` does, without listing anybody."""
    ended: list[int] = []
    for lead in leads:
        new = _mark(lead, told.channel)
        session.add(lead)
        rows = list(session.exec(select(Handoff.id).where(Handoff.lead_id == lead.id).order_by(col(Handoff.id))))
        if new:
            latest = keep if keep is not None and keep.lead_id == lead.id else handoffs.latest_of(session, lead.id)
            facts: dict[str, Any] = {"source": told.source, **({} if told.channel == "all" else {"by_channel": told.channel})}
            trail.record(session, "opted-out", now=now, handoff=latest, lead_id=lead.id, actor=told.by, **facts)
        if told.channel == "all":
            ended += [ident for ident in rows if (keep is None or ident != keep.id) and _end(session, ident, told, new=new, now=now)]
        elif new and (tenure := _tenure(session, rows)):
            _tell(session, tenure, told, now=now)
    held.forget(session)
    session.flush()
    return ended


def _mark(lead: Lead, channel: OptOutChannel) -> bool:
    """Notes the refusal at the lead; whether it is new."""
    if channel == "all":
        known, lead.do_not_contact = lead.do_not_contact, True
        return not known
    known = channel in lead.not_by.split()
    lead.not_by = lead.not_by if known else f"{lead.not_by} {channel}".strip()
    return not known


def _end(session: Session, handoff_id: int, told: Told, *, new: bool, now: datetime) -> bool:
    """Ends one handoff if it is open or in nurture. No attempt can write to it any more, and none of its messages goes out."""
    handoff = leases.locked(session, handoff_id)
    is_over = not handoffs.is_open(handoff) and handoff.stage != Stage.NURTURING
    if is_over and not new:
        return False
    silence(session, handoff, now=now)
    tenure = _tenure(session, [handoff_id])
    if tenure and tenure.rep != told.by:
        _tell(session, tenure, told, now=now)
    if is_over:
        return False
    leases.take_over(session, handoff)
    deliveries.abandon_half_sent(session, handoff, now=now)
    wakes.drop_all(session, handoff_id)
    waits.close_open(session, handoff, because="suppressed", now=now)
    was_begun = bool(handoff.flow_run_id)
    handoff.held, handoff.reason, handoff.retry_at = False, REASON, None
    handoffs.end_assignment(session, handoff, because="suppressed", now=now)
    handoffs.move(session, handoff, "suppressed", now=now, actor=told.by, reason=REASON)
    if was_begun:
        tell_crm(session, handoff, now=now)
        wakes.add(session, handoff_id, "suppressed", key=f"suppressed:{handoff_id}", not_before=now)
    return True


def tell_crm(session: Session, handoff: Handoff, *, now: datetime) -> None:
    """Queues the CRM's values for a suppressed lead, in the company's own words; nothing if the agreement has none."""
    words = crm_words.values_at(handoffs.agreement_of(session, handoff), "suppressed") if handoff.agreement else None
    if words:
        copy = deliveries.Copy(f"suppressed:{handoff.id}:crm-status", "crm", handoff.rep)
        deliveries.queue(session, handoff, deliveries.Message("status", context={"values": words}), copy, now=now)


def silence(session: Session, handoff: Handoff, *, now: datetime) -> None:
    """Cancels everything queued about this handoff, takes it out of the digests, and lets open disputes about it end."""
    queued = (col(Delivery.handoff_id) == handoff.id, col(Delivery.state) == DeliveryState.QUEUED)
    cancelled = {"state": DeliveryState.CANCELLED.value}
    session.execute(update(Delivery).where(*queued).values(**cancelled).execution_options(synchronize_session=False))
    deliveries.note_speech(session, handoff, False)
    session.execute(delete(DigestItem).where(col(DigestItem.handoff_id) == handoff.id).execution_options(synchronize_session=False))
    for row in session.exec(select(Dispute).where(Dispute.handoff_id == handoff.id, Dispute.ruling == "")).all():
        answer = session.get(Answer, row.answer_id)
        if answer is not None and disputes.rule_once(session, row.id, "upheld", by="", now=now):
            facts: dict[str, Any] = {"dispute": row.id, "reason": str(answer.data.get("reason", "")), "opted_out": True}
            trail.record(session, "dispute-upheld", now=now, handoff=handoff, rep=disputes.rep_of(session, answer), **facts)


def _tenure(session: Session, handoff_ids: Iterable[int]) -> Assignment | None:
    """The tenure of the rep who has the lead now, or took it on as an opportunity, and may have been told about it."""
    for ident in handoff_ids:
        handoff = handoffs.get(session, ident)
        row = handoffs.open_assignment(session, handoff)
        if row is None and handoff.stage == Stage.OPPORTUNITY:
            row = next(reversed(handoffs.assignments(session, ident)), None)
        if row is not None and (handoff.brought_by == row.rep or deliveries.may_have_arrived(session, row.id)):
            return row
    return None


def _tell(session: Session, tenure: Assignment, told: Told, *, now: datetime) -> None:
    """Tells the rep, or each of several who are asked, and whoever stands in for them now.

    The message is personal: no attempt has to send it.
    """
    people = roster.current(session)
    reps = [one.rep for one in offers.open_of(session, tenure.id)] if tenure.rep == SEVERAL else [tenure.rep]
    for person in dict.fromkeys(one for rep in reps for one in (rep, presence.stand_in(people, rep, now))):
        if person and person != told.by and people.person(person):
            context = {"handoff_id": tenure.handoff_id, "channel": told.channel, "tenure": tenure.id}
            copy = deliveries.Copy(f"{tenure.id}:{MESSAGE}:{told.channel}:{person}:email", "email", person)
            deliveries.queue(session, None, deliveries.Message(MESSAGE, context=context, assignment_id=tenure.id), copy, now=now)


def take_refusal(session: Session, lead: Lead, incoming: IncomingLead, *, now: datetime, actor: str) -> None:
    """Carries out what an inquiry of this lead refuses, and notes what the list says about the address and number."""
    if channel := refused_by(incoming):
        opt_out(session, lead, Told(channel, source=incoming.source, by=actor, since=incoming.at), now=now)
    if listed := suppressions.of_address(session, lead.email, lead.phone, lead.country) - {"all"}:
        lead.not_by = " ".join(sorted({*lead.not_by.split(), *listed}))
        session.add(lead)


def asks_anew(session: Session, lead: Lead, latest: Handoff) -> bool:
    """Whether what the lead does now begins a new handoff: the last one has ended, and not in nurture.

    A person who asked not to be contacted asks anew only after somebody took them from the list.
    """
    if latest.ended_at is None or latest.stage in (Stage.NURTURING, Stage.ERASED) or lead.do_not_contact:
        return False
    return latest.stage != Stage.SUPPRESSED or (latest.reason == REASON and not linked.is_suppressed(session, lead))
