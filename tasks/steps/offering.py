"""Offering: several reps are asked at once about one lead. The first to accept has it, and the others see who."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements import presence
from agreements.model import Agreement
from agreements.words import ChannelName, Ended
from storage import deliveries, handoffs, offers, roster, trail, turns, waits
from storage.tables import Answer, Assignment, Handoff, Offer, Wait

#: The channels that a message to each of several reps does not use: a lead has one owner in the CRM, and its manager is told once.
_ONE_FOR_ALL: tuple[ChannelName, ...] = ("crm", "manager-email")


def channels_of(agreement: Agreement, tier: str) -> tuple[ChannelName, ...]:
    """Return the channels on which a lead of this tier is assigned."""
    own = next((one.channels for one in agreement.tiers if one.name == tier), ())
    return own or agreement.notify.channels


def reach_each(planned: Iterable[ChannelName]) -> list[ChannelName]:
    """Return those of these channels that reach each rep who is asked."""
    return [channel for channel in planned if channel not in _ONE_FOR_ALL]


def ask_each(session: Session, handoff: Handoff, row: Assignment, planned: Iterable[ChannelName], *, now: datetime) -> None:
    """Queues the question to each rep who is asked, and one message to their manager. A second call queues nothing more."""
    planned, asked = tuple(planned), offers.open_of(session, row.id)
    for offer in asked:
        message = deliveries.Message("assigned", {"rep": offer.rep, "offer": offer.id}, assignment_id=row.id)
        copies = [deliveries.Copy(f"{offer.id}:assigned:{channel}", channel, offer.rep) for channel in reach_each(planned)]
        deliveries.queue_copies(session, handoff, message, copies, now=now)
    if "manager-email" in planned and asked:
        manager = presence.decider(roster.current(session), asked[0].rep, now)
        message = deliveries.Message("assigned", {"rep": row.rep}, assignment_id=row.id)
        copy = deliveries.Copy(f"{row.id}:assigned:manager-email", "manager-email", manager)
        deliveries.queue(session, handoff, message, copy, now=now)


def give_to_first(session: Session, handoff: Handoff, row: Assignment, answer: Answer, *, now: datetime) -> None:
    """Gives the lead to the rep who accepted it: theirs is the turn, the CRM names them as its owner, and the others get a message."""
    agreement = handoffs.agreement_of(session, handoff)
    weights = {one.rep: one.weight for one in offers.of(session, row.id)}
    others = offers.claim(session, row, answer.by, at=answer.answered_at, now=now)
    person = roster.current(session).person(row.rep)
    row.pool, row.team = turns.pool_of(row.team, row.tier), person.team if person else row.team
    turns.give(session, row, weights, day=agreement.day(now))
    handoff.rep = row.rep
    session.add_all([row, handoff])
    tell_the_others(session, handoff, row, others, lambda reader: f"{taken_by(session, row.rep, answer.answered_at, reader)}.", now=now)
    if "crm" in channels_of(agreement, row.tier):
        message = deliveries.Message("assigned", {"rep": row.rep}, assignment_id=row.id)
        deliveries.queue(session, handoff, message, deliveries.Copy(f"{row.id}:assigned:crm", "crm", row.rep), now=now)


def taken_by(session: Session, rep: str, at: datetime, reader: str) -> str:
    """Say who accepted a lead first, and when, in the reader's zone."""
    people = roster.current(session)
    person = people.person(reader)
    local = at.astimezone(ZoneInfo(person.timezone)) if person else at
    return f"{people.name_of(rep)} accepted it first, on {local:%a} {local.day} {local:%b} at {local:%H:%M}"


def tell_the_others(
    session: Session, handoff: Handoff, row: Assignment, ended: Sequence[Offer], words: Callable[[str], str], *, now: datetime
) -> None:
    """Tells the reps whose offers ended that the lead is no longer theirs to take. A question that is still queued is not sent any more.

    words: why, for each of them.
    """
    reached = deliveries.reached_with(session, row.id)
    deliveries.call_off_to(session, row.id, [one.rep for one in ended])
    for one in ended:
        if one.rep in reached:
            message = deliveries.Message("withdrawn", {"what": words(one.rep), "tenure": one.id, "offered": True})
            deliveries.queue(session, handoff, message, deliveries.Copy(f"{one.id}:withdrawn:email", "email", one.rep), now=now)


def withdraw_offer(session: Session, wait: Wait, offer: Offer, *, because: Ended, now: datetime) -> None:
    """Takes one rep out of those who are asked, without a message. If nobody is left to ask, this answers the wait.

    The caller has locked the wait, which nobody has answered.
    """
    offers.end(session, offer, because=because, now=now)
    handoff = handoffs.get(session, offer.handoff_id)
    deliveries.call_off_to(session, offer.assignment_id, [offer.rep])
    trail.record(session, "no-longer-asked", now=now, handoff=handoff, rep=offer.rep, because=because)
    if not offers.open_of(session, offer.assignment_id):
        waits.answer(session, wait.id, waits.NewAnswer("away", by="baton", via="clock"), now=now)
