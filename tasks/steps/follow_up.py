"""Follow up: the first attempt after acceptance, then the outcome. An accepted lead always has an open wait."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import Accepted, call_due, contact_time, first_attempt_due, is_too_early, is_too_late, nudges
from agreements.lifecycle import Stage
from agreements.prospect import awake
from agreements.words import ATTEMPTS, GIVEN_BACK, NOT_THERE, Attempt, NoWord, TouchChannel, Via, word
from storage import handoffs, held, trail, waits, wakes
from storage.tables import Answer, Assignment, Handoff, Touch, Wait
from tasks.choices import CHANNELS
from tasks.clock_inputs import running
from tasks.messages import digest, marketing_news
from tasks.messages.lead_view import where_is
from tasks.messages.opportunity_request import create
from tasks.messages.outbox import crm_status
from tasks.steps import sales_sourced
from tasks.steps.recycle import dispose, hand_over, pass_on
from tasks.work import Work


def follow_up(work: Work) -> None:
    """Opens the wait for the first attempt or the outcome, or carries out the answer that counts."""
    session, handoff, now = work.session, work.handoff, work.now
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    if wait is not None and answer is not None:
        take_progress(session, handoff, wait, answer, now=now)
    elif wait is None and handoff.stage == Stage.ACCEPTED:
        open_first_attempt(session, handoff, now=now, accepted_at=now)
    elif wait is None:
        open_outcome(session, handoff, now=now)


def open_first_attempt(session: Session, handoff: Handoff, *, now: datetime, accepted_at: datetime) -> Wait:
    """Opens the wait for the first attempt. Its clock counts from the proof of delivery, not from the acceptance."""
    row = _tenure(session, handoff)
    given_back = given_back_at(session, row)
    runs = running(session, handoff, "first_attempt", row, start=given_back or row.proven_at or now, anew=given_back is not None)
    requested = handoffs.lead_of(session, handoff).requested_time
    asked = contact_time(runs.clock, requested, start=runs.start, now=accepted_at, calendar=runs.calendar)
    if asked.ignored:
        trail.record(session, "contact-time-ignored", now=now, handoff=handoff, why=asked.ignored)
    accepted = Accepted(runs.start, accepted_at, requested, runs.bound)
    due = first_attempt_due(runs.clock, accepted, tier=handoff.tier, calendar=runs.calendar, past=runs.past)
    if earlier := runs.before:  # a request has raised the tier since: the tighter time counts
        was = Accepted(earlier.start, accepted_at, requested, earlier.bound)
        due = min(due, first_attempt_due(earlier.clock, was, tier=earlier.tier, calendar=earlier.calendar))
    if asked.at is None:
        call = call_due(runs.clock, due, tier=handoff.tier, calendar=runs.calendar, there=_waking_hours(session, handoff))
        due = call.at
        if call.moved or call.alone:
            trail.record(session, "call-moved" if call.moved else "no-shared-hours", now=now, handoff=handoff, rep=handoff.rep)
    told = nudges(runs.clock, tier=handoff.tier, start=runs.start, due=due, calendar=runs.calendar, now=now, pauses=runs.past.pauses)
    return waits.open_wait(
        session, handoff, waits.NewWait("first_attempt", holder=handoff.rep, due_at=due, nudges=told, assignment_id=row.id), now=now
    )


def _waking_hours(session: Session, handoff: Handoff) -> tuple[WorkingCalendar, ...]:
    """The hours in which the lead is awake, in each zone where it may be; none if the zone or the hours do not matter."""
    hours = handoffs.agreement_of(session, handoff).waking_hours
    return awake(where_is(handoffs.lead_of(session, handoff)), hours) if hours else ()


def open_outcome(session: Session, handoff: Handoff, *, now: datetime) -> Wait:
    """Opens the wait for the outcome. Its clock runs from the rep's first attempt, or from when a manager gave the lead back."""
    row = _tenure(session, handoff)
    if not sales_sourced.runs(session, handoff, "outcome"):
        return sales_sourced.open_without_a_clock(session, handoff, row, now=now)
    given_back = given_back_at(session, row)
    tried = select(Touch.at).where(Touch.handoff_id == handoff.id, col(Touch.at) >= row.assigned_at)
    start = given_back or session.exec(tried.order_by(col(Touch.at)).limit(1)).first() or now
    plan = running(session, handoff, "outcome", row, start=start, anew=given_back is not None).schedule(now=now)
    wait = waits.open_wait(
        session,
        handoff,
        waits.NewWait("outcome", holder=handoff.rep, due_at=plan.due_at, nudges=plan.nudges, assignment_id=row.id),
        now=now,
    )
    digest.expect_check_in(session, handoff, wait, now=now)
    return wait


def _tenure(session: Session, handoff: Handoff) -> Assignment:
    row = handoffs.open_assignment(session, handoff)
    assert row is not None, "a lead that was accepted is with somebody"
    return row


def given_back_at(session: Session, row: Assignment) -> datetime | None:
    """When a decision last left the lead with the rep of this tenure, None for never. From then on the rep has a new clock."""
    query = select(Wait).where(Wait.assignment_id == row.id, Wait.kind == "decision", col(Wait.closed_at).is_not(None))
    last = session.exec(query.order_by(col(Wait.closed_at).desc()).limit(1)).first()
    return last.closed_at if last else None


def take_progress(session: Session, handoff: Handoff, wait: Wait, answer: Answer, *, now: datetime) -> None:
    """Carries out the rep's answer about the work: an attempt, an opportunity, a return, a handover to a colleague."""
    waits.close(session, wait, because=answer.kind, now=now)
    if answer.kind in GIVEN_BACK:
        dispose(session, handoff, handoffs.agreement_of(session, handoff), answer, now=now)
    elif answer.kind in NOT_THERE:
        hand_over(session, handoff, handoffs.agreement_of(session, handoff), wait, now=now)
    elif answer.kind == "handed":
        pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because="handed", now=now)
    elif answer.kind == "opportunity":
        _open_opportunity(session, handoff, answer, now)
    elif answer.kind == "sql":
        _hand_on(session, handoff, answer, now)
    else:
        kind, key = word(answer.kind, ATTEMPTS), f"answer:{answer.id}"
        assert kind is not None, "no other answer is offered here"
        channel = word(str(answer.data.get("channel", "")), CHANNELS) or ""
        touch(session, handoff, NewTouch(kind, key, answer.by, answer.via, answer.answered_at, channel))
        if handoff.stage == Stage.ACCEPTED:
            on_time = answer.answered_at <= wait.promised_at
            handoffs.move(session, handoff, "attempted", now=now, actor=answer.by, via=answer.via, on_time=on_time)
        send_at = max(now, answer.effective_at)
        crm_status(session, handoff, "attempted", key=f"answer:{answer.id}", now=now, send_at=send_at, answer_id=answer.id)
        open_outcome(session, handoff, now=now)


@dataclass(frozen=True, slots=True)
class NewTouch:
    """A human attempt to reach the lead. key: two with the same key are one attempt. channel: empty where nobody named one."""

    kind: Attempt
    key: str
    by: str
    via: Via
    at: datetime
    channel: TouchChannel | NoWord = ""


def touch(session: Session, handoff: Handoff, new: NewTouch) -> bool:
    """Stores an attempt once; False where its key was stored already. The trail marks an attempt that came too early."""
    lead, at = handoffs.lead_of(session, handoff), new.at
    is_first = wakes.insert_once(session, Touch, handoff_id=handoff.id, lead_id=handoff.lead_id, **asdict(new))
    if is_first:
        held.forget(session)
        lead.last_touch_at = max(at, lead.last_touch_at or at)
        session.add(lead)
        facts: dict[str, Any] = {"touch": new.kind, "via": new.via, "channel": new.channel}
        early = is_too_early(at=at, requested=lead.requested_time)
        late = is_too_late(at=at, requested=lead.requested_time, due=first.due_at) if (first := _first_call(session, handoff)) else False
        trail.record(session, "touched", now=at, handoff=handoff, actor=new.by, too_early=early, too_late=late, **facts)
    return is_first


def _first_call(session: Session, handoff: Handoff) -> Wait | None:
    """The wait for the first attempt of the rep who has the lead; None once an attempt was made."""
    if handoff.stage != Stage.ACCEPTED:
        return None
    query = select(Wait).where(Wait.handoff_id == handoff.id, Wait.kind == "first_attempt").order_by(col(Wait.opened_at).desc())
    return session.exec(query.limit(1)).first()


def untouch(session: Session, handoff: Handoff, answer: Answer) -> None:
    """Deletes the attempt that this answer reported."""
    lead = handoffs.lead_of(session, handoff)
    session.execute(delete(Touch).where(col(Touch.key) == f"answer:{answer.id}"))
    held.forget(session)
    lead.last_touch_at = session.exec(select(func.max(Touch.at)).where(Touch.lead_id == handoff.lead_id)).one()
    session.add(lead)


def _hand_on(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> None:
    """Hands an SQL on to the next leg. Routing finds its rep there as in the first leg, and the note goes along."""
    legs = handoffs.agreement_of(session, handoff).legs
    marketing_news.tell_answer(session, handoff, answer, now=now)
    crm_status(session, handoff, "sql", key=f"answer:{answer.id}", now=now)
    handoffs.end_assignment(session, handoff, because="sql", now=now)
    was, rep = legs[handoff.leg].name, handoff.rep
    handoff.leg, handoff.climbed, handoff.wanted_rep, handoff.rep = handoff.leg + 1, {}, "", ""
    to = legs[handoff.leg].name
    handoffs.move(session, handoff, "sql", now=now, actor=answer.by, via=answer.via, was_rep=rep, leg=was, to_leg=to)


def _open_opportunity(session: Session, handoff: Handoff, answer: Answer, now: datetime) -> None:
    key = f"answer:{answer.id}"
    if answer.via != "crm":
        create(session, handoff, answer, now=now)
    crm_status(session, handoff, "opportunity", key=key, now=now)
    marketing_news.tell_answer(session, handoff, answer, now=now)
    handoffs.move(session, handoff, "opportunity", now=now, actor=answer.by, via=answer.via)
