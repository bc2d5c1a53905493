"""Assign: give the lead to one rep, or hold it until a rep is there or until its turn comes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from agreements import presence
from agreements.choosing import Choosing
from agreements.clocks import schedule
from agreements.model import Agreement
from agreements.routing import ASKED_FOR, SHARED_OUT, Route
from agreements.words import SEVERAL
from storage import deliveries, handoffs, offers, roster, turns, waits
from storage.tables import Assignment, Handoff, Wait
from tasks.choices import EVERYONE_FULL
from tasks.clock_inputs import calendar_of
from tasks.steps.candidates import choosing
from tasks.steps.offering import ask_each, channels_of
from tasks.steps.recycle import ask_decision
from tasks.steps.release_queue import must_wait, pull_forward, wait_in_queue
from tasks.steps.sales_sourced import has_its_rep, take
from tasks.work import Work

HOLD_FOR = timedelta(minutes=15)
#: The time after which Baton checks an unproven delivery again.
LOOK_AGAIN = timedelta(minutes=1)


def assign(work: Work) -> None:
    """Asks routing who gets the lead, writes the assignment and queues its messages."""
    session, handoff, now = work.session, work.handoff, work.now
    agreement = handoffs.agreement_of(session, handoff)
    if has_its_rep(session, handoff) and handoff.wanted_rep in ("", handoff.brought_by):
        take(session, handoff, agreement, now=now)
        return
    earlier = handoffs.assignments(session, handoff.id)
    seen = choosing(session, handoff, agreement, earlier, now=now)
    choice = _as_owner(handoff, seen.route(agreement))
    if seen.serves(choice.rep):
        waits_its_turn = must_wait(session, handoff, seen)
        pull_forward(session, handoff, seen, goes=not waits_its_turn, now=now)
        choice = SHARED_OUT if waits_its_turn else choice
    if choice.in_queue or (seen.release and choice.hold_until):
        wait_in_queue(session, handoff, agreement, seen, why=choice.why, now=now, not_before=choice.hold_until)
    elif choice.ask_manager:
        _ask_manager(session, handoff, agreement, seen, now)
    elif not choice.rep:
        _hold(session, handoff, agreement, choice, now)
    else:
        _give(session, handoff, agreement, choice, number=len(earlier) + 1, team=seen.team, now=now)


def _as_owner(handoff: Handoff, choice: Route) -> Route:
    """Name the reason where a lead goes to the owner of its account, as the screen says: it is nobody's turn."""
    is_owner = handoff.routed and choice.why == ASKED_FOR and choice.rep == handoff.account.get("owner")
    return replace(choice, why=turns.OWNER_OF_ACCOUNT) if is_owner else choice


def _give(session: Session, handoff: Handoff, agreement: Agreement, choice: Route, *, number: int, team: str, now: datetime) -> None:
    waits.close_open(session, handoff, because="assigned", now=now)
    person = roster.current(session).person(choice.told[0] if choice.told else choice.rep)
    row = Assignment(
        handoff_id=handoff.id,
        lead_id=handoff.lead_id,
        leg=handoff.leg,
        number=number,
        rep=choice.rep,
        team=person.team if person else "",
        tier=handoff.tier,
        cause=choice.why,
        assigned_at=now,
        pool=turns.pool_of(team, handoff.tier) if choice.shared_by and not choice.told else "",
    )
    handoffs.add_assignment(session, row)
    if choice.told:
        session.flush()
        offers.make(session, row, choice.shared_by, now=now)
    elif choice.shared_by:
        turns.give(session, row, choice.shared_by, day=agreement.day(now))
    handoff.rep, handoff.wanted_rep, handoff.queue = choice.rep, "", ""
    handoff.first_assigned_at = handoff.first_assigned_at or now
    facts: dict[str, Any] = {"rep": choice.rep, "why": choice.why, "number": row.number, "assignment_id": row.id}
    facts |= {"leg": agreement.legs[handoff.leg].name} if len(agreement.legs) > 1 else {}
    facts |= {"told": list(choice.told)} if choice.told else {}
    handoffs.move(session, handoff, "assigned", now=now, **facts)
    session.flush()
    open_proof(session, handoff, agreement, row, now=now)
    queue_messages(session, handoff, agreement, row, now=now)


def open_proof(session: Session, handoff: Handoff, agreement: Agreement, row: Assignment, *, now: datetime) -> Wait:
    """Opens the wait for the proof that the rep was told; until the proof, the system owns the lead."""
    handoff.owner = "system"
    session.add(handoff)
    due = max(agreement.notify.within.after(now, None), now + LOOK_AGAIN)
    return waits.open_wait(
        session,
        handoff,
        waits.NewWait("delivery", about="proof", holder="system", due_at=due, next_at=min(now + LOOK_AGAIN, due), assignment_id=row.id),
        now=now,
    )


def _ask_manager(session: Session, handoff: Handoff, agreement: Agreement, seen: Choosing, now: datetime) -> None:
    people = roster.current(session)
    team = people.teams.get(seen.team)
    what = f"Everyone in {team.title or seen.team if team else 'the team'} has as many leads as agreed."
    asked = team.manager if team else people.operator
    holder = presence.stand_in(people, asked, now) or presence.stand_in(people, people.operator, now) or asked
    ask_decision(session, handoff, agreement, holder=holder, about=EVERYONE_FULL, now=now, what=what)


def _hold(session: Session, handoff: Handoff, agreement: Agreement, choice: Route, now: datetime) -> None:
    look_again = max(choice.hold_until or now, now + HOLD_FOR)
    wait = waits.open_of(session, handoff.id)
    if wait:
        wait.next_at = min(look_again, wait.due_at)
        session.add(wait)
        return
    start = _needs_a_rep_since(session, handoff) or now
    calendar = calendar_of(session, handoff, "delivery", "marketing")
    plan = schedule(agreement.clock("delivery", handoff.leg), tier=handoff.tier, start=start, calendar=calendar)
    due = plan.due_at if plan.due_at > now else look_again
    handoffs.move(session, handoff, "held", now=now, why=choice.why)
    waits.open_wait(
        session, handoff, waits.NewWait("delivery", about="hold", holder="marketing", due_at=due, next_at=min(look_again, due)), now=now
    )


def _needs_a_rep_since(session: Session, handoff: Handoff) -> datetime | None:
    """When the lead last came to need a rep: it qualified, its rep gave it up, or it was scored again while no rep had it."""
    judged = select(Wait.closed_at).where(Wait.handoff_id == handoff.id, Wait.closed_because == "rescored")
    ends = [row.ended_at for row in handoffs.assignments(session, handoff.id)]
    known = [at for at in (handoff.mql_at, *ends, *session.exec(judged.order_by(col(Wait.closed_at)))) if at is not None]
    return max(known, default=None)


def queue_messages(
    session: Session, handoff: Handoff, agreement: Agreement, row: Assignment, *, now: datetime, fallback: bool = False
) -> None:
    """Queues the assignment on the tier's channels; fallback: on the fallback list instead. A second call queues nothing more."""
    planned = agreement.notify.fallback if fallback else channels_of(agreement, handoff.tier)
    if row.rep == SEVERAL:
        ask_each(session, handoff, row, planned, now=now)
        return
    manager = presence.decider(roster.current(session), row.rep, now)
    to = {channel: manager if channel == "manager-email" else row.rep for channel in planned}
    copies = [deliveries.Copy(f"{row.id}:assigned:{channel}", channel, person) for channel, person in to.items()]
    deliveries.queue_copies(
        session, handoff, deliveries.Message("assigned", context={"rep": row.rep}, assignment_id=row.id), copies, now=now
    )
