"""Remind: carry out the agreement's nudges while a clock is still running."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements import presence
from agreements.words import SEVERAL, About, Action, MessageKind
from storage import deliveries, handoffs, offers, roster, trail, waits
from storage.digests import Aside
from storage.tables import Handoff, Wait
from tasks.messages import digest
from tasks.work import Work

#: The open task in words, by kind of wait.
OWED: Mapping[About, str] = {
    "note": "a complete handoff note",
    "delivery": "proof that a rep has the lead",
    "acceptance": "an answer (accept or reject)",
    "first_attempt": "a first attempt to reach the lead",
    "outcome": "an outcome (opportunity or returned)",
    "decision": "a decision",
}

#: The open task of a holder in words for their manager, by kind of wait.
NOT_YET: Mapping[About, str] = {
    "note": "has not completed the handoff note yet",
    "acceptance": "has not answered yet (accept or reject)",
    "first_attempt": "has not tried to reach the lead yet",
    "outcome": "has not said yet what came of the lead",
    "decision": "has not decided yet",
}


def remind(work: Work) -> None:
    """Carries out every due nudge, and sets when to look again."""
    session, handoff, now = work.session, work.handoff, work.now
    wait = waits.open_of(session, handoff.id)
    assert wait is not None, "a nudge is due only while a wait is open"
    plan = [(datetime.fromisoformat(at), action) for at, action in wait.nudges]
    for at, action in plan:
        if at <= now:
            nudge(session, handoff, wait, action, key=f"{wait.id}:{action}:{at.isoformat()}", now=now)
    left = [(at, action) for at, action in plan if at > now]
    wait.nudges = [[at.isoformat(), action] for at, action in left]
    wait.next_at = min([wait.due_at, *(at for at, _ in left)])
    session.add(wait)


def nudge(session: Session, handoff: Handoff, wait: Wait, action: Action, *, key: str, now: datetime) -> None:
    """Tells the holder, the manager or operations about a wait, without changing the wait.

    If leads of this tier do not interrupt, the message waits for the person's morning digest.
    """
    if action == "remind" and wait.holder == SEVERAL:
        _remind_each(session, handoff, wait, key=key, now=now)
        return
    people = roster.current(session)
    owed = OWED.get(wait.about, OWED.get(wait.kind, "an answer"))
    late = now >= wait.due_at
    message: MessageKind
    if action == "remind":
        message, person, what = "reminder", wait.holder, f"Still needed: {owed}."
    elif action == "tell-manager":
        name = people.name_of(wait.holder)
        asked = offers.asked_for(session, wait.holder, wait.assignment_id)
        message, person = "manager-told", presence.decider(people, asked, now)
        not_yet = NOT_YET.get(wait.about, NOT_YET.get(wait.kind, "has not answered yet"))
        what = f"{name} {not_yet}. {'The agreed time is over' if late else 'Most of the agreed time is over'}."
    else:
        message, person = "ops-told", presence.stand_in(people, people.operator, now) or people.operator
        what = f"Lead {handoff.lead_id}: {owed} is {'late' if late else 'due soon'}."
    reminder = Reminder(message, person, what, key, wait.assignment_id, wait.holder)
    _queue(session, handoff, wait, action, reminder, now=now)


@dataclass(frozen=True, slots=True)
class Reminder:
    """A message about an open wait. tenure: the id that its link signs; rep: who has the lead."""

    message: MessageKind
    person: str
    what: str
    key: str
    tenure: str
    rep: str


def _remind_each(session: Session, handoff: Handoff, wait: Wait, *, key: str, now: datetime) -> None:
    """Reminds each of several reps who may still accept."""
    what = "Still needed: one of you who accepts it. The first to accept has it."
    for one in offers.open_of(session, wait.assignment_id):
        _queue(session, handoff, wait, "remind", Reminder("reminder", one.rep, what, f"{key}:{one.rep}", one.id, one.rep), now=now)


def _queue(session: Session, handoff: Handoff, wait: Wait, action: Action, told: Reminder, *, now: datetime) -> None:
    if roster.current(session).person(told.person) is None:
        return
    if not handoffs.agreement_of(session, handoff).interrupts(handoff.tier):
        aside = Aside(told.key, told.person, digest.MISSED if now >= wait.due_at else action, told.what)
        digest.put_aside(session, handoff, wait, aside, now=now)
        trail.record(session, "nudged", now=now, handoff=handoff, wait=wait.kind, action=action, to=told.person, over="digest")
        return
    context = {"what": told.what, "due_at": wait.due_at.isoformat(), "tenure": told.tenure, "wait_id": wait.id, "rep": told.rep}
    copy = deliveries.Copy(f"{told.key}:email", "email", told.person)
    deliveries.queue(session, handoff, deliveries.Message(told.message, context=context), copy, now=now)
    trail.record(session, "nudged", now=now, handoff=handoff, wait=wait.kind, action=action, to=told.person)
