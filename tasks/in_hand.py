"""In hand: what the agreement does when a lead whom a rep has does something, or asks for something again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from agreements import presence, qualification
from agreements.clocks import Accepted, first_attempt_due, nudges
from agreements.lead import IncomingLead
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.words import OF_REPS, ChannelName
from storage import deliveries, handoffs, leads, leases, roster, trail, waits
from storage.digests import Aside
from storage.tables import Assignment, Handoff, Wait
from tasks.clock_inputs import Running, clock_name, running
from tasks.messages import digest

#: The message about a request by a lead in hand, and the kind of an item of the digest about anything else that the lead did.
MESSAGE: Final = "asked-again"
ACTIVITY: Final = "activity"
#: The stages in which a rep has the lead.
IN_HAND = (Stage.ASSIGNED, Stage.ACCEPTED, Stage.WORKING)
#: The channels on which a person reads.
_READ: tuple[ChannelName, ...] = ("crm", "email", "chat", "sms")


def take_note(session: Session, handoff: Handoff, incoming: IncomingLead, activity_id: int, *, now: datetime) -> None:
    """Does what is agreed for this activity of a lead that a rep has; nothing for any other lead. One activity counts once.

    A request from before the handoff began is no new one, for example in a file of past activities.
    """
    if handoff.stage not in IN_HAND or handoff.held or not handoff.agreement:
        return
    agreement = handoffs.agreement_of(session, handoff)
    is_request = incoming.activity in agreement.qualification.fast_lane and (incoming.at or now) >= handoff.created_at
    rule = agreement.on_activity.fast_lane if is_request else agreement.on_activity.other
    if rule == "page":
        return
    leases.locked(session, handoff.id)  # an attempt under way reads the handoff and its wait anew in its next transaction
    row = handoffs.open_assignment(session, handoff)
    if row is None:
        return
    if rule == "digest":
        _put_aside(session, handoff, row, incoming, activity_id, now)
        return
    raised = rule == "raise-tier" and _raise(session, handoff, agreement, now)
    facts: dict[str, Any] = {"tier": handoff.tier} if raised else {}
    if raised and (wait := _tighten(session, handoff, now)):
        facts |= waits.times_for_trail(wait)
    trail.record(session, "asked-in-hand", now=now, handoff=handoff, activity=incoming.activity, **facts)
    _tell(session, handoff, row, incoming.activity, key=f"asked:{activity_id}", now=now, raised=raised)


def _raise(session: Session, handoff: Handoff, agreement: Agreement, now: datetime) -> bool:
    """Gives the lead the tier that it would get now, if this one stands above its tier in the agreement; False if it does not."""
    facts = leads.facts_for(session, handoff)
    verdict = qualification.qualify(agreement, facts, now=now)
    names = [tier.name for tier in agreement.tiers]
    tier = qualification.tier_for(agreement, facts, verdict).name
    if handoff.tier not in names or names.index(tier) >= names.index(handoff.tier):
        return False
    handoff.raised_from, handoff.raised_at = handoff.tier, now
    handoff.tier, handoff.fast_lane = tier, bool(verdict.fast_lane)
    session.add(handoff)
    session.flush()
    return True


def _tighten(session: Session, handoff: Handoff, now: datetime) -> Wait | None:
    """Counts the open clock of the rep anew by the tier, from now. Returns its wait, None where the due time is earlier already."""
    wait = waits.open_of(session, handoff.id, lock=True)
    if wait is None or wait.answer_id is not None or wait.kind not in OF_REPS or wait.about != wait.kind:
        return None
    row = session.get(Assignment, wait.assignment_id)
    if row is None:
        return None
    runs = running(session, handoff, clock_name(wait), row, start=now)
    due = _due(session, handoff, wait, runs, now)
    if due >= wait.due_at:
        return None
    told = nudges(runs.clock, tier=handoff.tier, start=now, due=due, calendar=runs.calendar, now=now)
    wait.due_at = wait.promised_at = due
    wait.nudges = [[at.isoformat(), action] for at, action in told]
    wait.next_at = min([due, *(at for at, _ in told)])
    session.add(wait)
    session.flush()
    return wait


def _due(session: Session, handoff: Handoff, wait: Wait, runs: Running, now: datetime) -> datetime:
    if wait.kind != "first_attempt":
        return replace(runs, start=now).schedule(now=now).due_at
    requested = handoffs.lead_of(session, handoff).requested_time
    return first_attempt_due(runs.clock, Accepted(now, now, requested, None), tier=handoff.tier, calendar=runs.calendar)


def _readers(session: Session, row: Assignment, now: datetime) -> list[str]:
    """The rep, and whoever stands in while the rep is away."""
    people = roster.current(session)
    both = dict.fromkeys((row.rep, presence.stand_in(people, row.rep, now)))
    return [one for one in both if one and people.person(one)]


def _tell(session: Session, handoff: Handoff, row: Assignment, activity: str, *, key: str, now: datetime, raised: bool) -> None:
    agreement = handoffs.agreement_of(session, handoff)
    tier = next((one for one in agreement.tiers if one.name == handoff.tier), None)
    agreed = (tier.channels if tier else ()) or agreement.notify.channels
    channels = [one for one in agreed if one in _READ] or ["email"]
    wait = waits.open_of(session, handoff.id)
    due = {"due_at": wait.due_at.isoformat()} if wait and raised and wait.answer_id is None and wait.holder == row.rep else {}
    what = f"They asked again: {activity.replace('_', ' ')}.{f' The lead is {handoff.tier} now.' if raised else ''}"
    message = deliveries.Message(MESSAGE, context={"what": what, "tenure": row.id, **due}, assignment_id=row.id)
    readers = _readers(session, row, now)
    copies = [deliveries.Copy(f"{key}:{person}:{channel}", channel, person) for person in readers for channel in channels]
    deliveries.queue_copies(session, handoff, message, copies, now=now)


def _put_aside(session: Session, handoff: Handoff, row: Assignment, incoming: IncomingLead, activity_id: int, now: datetime) -> None:
    """Keeps the activity for the next digest of the rep. What it says is the activity, and nothing about the person."""
    wait = waits.open_of(session, handoff.id)
    if wait is None or (incoming.at or now) < now - timedelta(days=1):
        return
    for person in _readers(session, row, now):
        aside = Aside(f"activity:{activity_id}:{person}", person, ACTIVITY, incoming.activity.replace("_", " ")[:60])
        digest.put_aside(session, handoff, wait, aside, now=now)
