"""Assign: give the lead to one rep, or hold it until somebody is there."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.clocks import schedule
from agreements.lifecycle import Stage
from agreements.model import Agreement
from agreements.roster import Roster
from agreements.routing import Candidate, Route, route, segment_for
from storage import deliveries, handoffs, leads, roster, waits
from storage.tables import Assignment, Handoff
from tasks.running import calendar_of
from tasks.turn import Turn, step

#: Tenures that ended like this did not stay with the rep: they are credited back in the turns.
CREDITED_BACK = ("rejected", "returned", "handed", "note-returned", "crm")
HOLD_FOR = timedelta(minutes=15)
#: After this time a delivery that is not proven yet is looked at again.
LOOK_AGAIN = timedelta(minutes=1)


@step
async def assign(turn: Turn) -> Turn:
    """Asks routing who gets it and writes the assignment; the messages are queued with it."""

    def work(session: Session, handoff: Handoff, now: datetime) -> None:
        agreement = handoffs.agreement_of(session, handoff)
        people = roster.current(session)
        earlier = handoffs.assignments(session, handoff.id or 0)
        choice = _choose(session, handoff, agreement, people, earlier, now)
        if not choice.rep:
            _hold(session, handoff, agreement, choice, now)
            return
        waits.close_open(session, handoff, because="assigned", now=now)
        person = people.person(choice.rep)
        row = Assignment(
            handoff_id=handoff.id or 0,
            lead_id=handoff.lead_id,
            leg=handoff.leg,
            number=len(earlier) + 1,
            rep=choice.rep,
            team=person.team if person else "",
            cause=choice.why,
            assigned_at=now,
        )
        session.add(row)
        handoff.rep, handoff.wanted_rep = choice.rep, ""
        handoff.first_assigned_at = handoff.first_assigned_at or now
        handoffs.move(session, handoff, "assigned", now=now, rep=choice.rep, why=choice.why, number=row.number)
        handoff.owner = "system"
        session.add(handoff)
        session.flush()
        due = max(agreement.notify.within.after(now, None), now + LOOK_AGAIN)
        waits.open_wait(
            session,
            handoff,
            "delivery",
            about="proof",
            holder="system",
            now=now,
            due_at=due,
            next_at=min(now + LOOK_AGAIN, due),
            assignment_id=row.id,
        )
        queue_messages(session, handoff, agreement, row, now=now)

    return await turn.save(work)


def _choose(session: Session, handoff: Handoff, agreement: Agreement, people: Roster, earlier: list[Assignment], now: datetime) -> Route:
    lead = handoffs.lead_of(session, handoff)
    segment = segment_for(agreement, leads.facts(session, lead).values)
    names = people.reps_of(segment.team) if segment else []
    wanted = handoff.wanted_rep
    if wanted and wanted not in names and people.person(wanted):
        names = [*names, wanted]
    declined = frozenset(row.rep for row in earlier if row.ended_because != "note-returned" and row.rep != wanted)
    return route(agreement, [_candidate(session, agreement, people, name, now) for name in names], declined=declined, wanted=wanted)


def _candidate(session: Session, agreement: Agreement, people: Roster, name: str, now: datetime) -> Candidate:
    person = people.people[name]
    kept = col(Assignment.ended_because).not_in(CREDITED_BACK)
    turns, last = session.exec(select(func.count(), func.max(Assignment.assigned_at)).where(Assignment.rep == name, kept)).one()
    open_leads = session.exec(
        select(func.count())
        .select_from(Handoff)
        .where(Handoff.rep == name, col(Handoff.stage).in_([Stage.ASSIGNED.value, Stage.ACCEPTED.value]))
    ).one()
    capacity = agreement.routing.capacity.per_rep if person.capacity is None else person.capacity
    return Candidate(name, person.is_away(now), person.back_at(now), open_leads, capacity, turns, last)


def _hold(session: Session, handoff: Handoff, agreement: Agreement, choice: Route, now: datetime) -> None:
    look_again = max(choice.hold_until or now, now + HOLD_FOR)
    wait = waits.open_of(session, handoff.id or 0)
    if wait:
        wait.next_at = min(look_again, wait.due_at)
        session.add(wait)
        return
    calendar = calendar_of(session, handoff, "delivery", "marketing")
    plan = schedule(agreement.clock("delivery", handoff.leg), tier=handoff.tier, start=handoff.mql_at or now, calendar=calendar)
    due = plan.due_at if plan.due_at > now else look_again
    handoffs.move(session, handoff, "held", now=now, why=choice.why)
    waits.open_wait(session, handoff, "delivery", about="hold", holder="marketing", now=now, due_at=due, next_at=min(look_again, due))


def queue_messages(
    session: Session, handoff: Handoff, agreement: Agreement, row: Assignment, *, now: datetime, fallback: bool = False
) -> None:
    """Queues the assignment on the tier's channels; fallback: on those of the fallback list instead. Twice is once."""
    tier = next((tier for tier in agreement.tiers if tier.name == handoff.tier), None)
    planned = agreement.notify.fallback if fallback else (tier.channels if tier and tier.channels else agreement.notify.channels)
    for channel in planned:
        person = roster.current(session).manager_of(row.rep) if channel == "manager-email" else row.rep
        deliveries.queue(
            session,
            handoff,
            "assigned",
            key=f"{row.id}:assigned:{channel}",
            channel=channel,
            person=person,
            now=now,
            assignment_id=row.id,
            context={"rep": row.rep},
        )
