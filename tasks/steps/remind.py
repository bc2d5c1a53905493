"""Remind: carry out the agreement's nudges while a clock is still running."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from agreements import presence
from agreements.words import About, Action, MessageKind
from storage import deliveries, handoffs, roster, trail, waits
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
    people = roster.current(session)
    owed = OWED.get(wait.about, OWED.get(wait.kind, "an answer"))
    late = now >= wait.due_at
    message: MessageKind
    if action == "remind":
        message, person, what = "reminder", wait.holder, f"Still needed: {owed}."
    elif action == "tell-manager":
        name = people.name_of(wait.holder)
        message, person = "manager-told", presence.decider(people, wait.holder, now)
        not_yet = NOT_YET.get(wait.about, NOT_YET.get(wait.kind, "has not answered yet"))
        what = f"{name} {not_yet}. {'The agreed time is over' if late else 'Most of the agreed time is over'}."
    else:
        message, person = "ops-told", presence.stand_in(people, people.operator, now) or people.operator
        what = f"Lead {handoff.lead_id}: {owed} is {'late' if late else 'due soon'}."
    if people.person(person) is None:
        return
    if not handoffs.agreement_of(session, handoff).interrupts(handoff.tier):
        aside = Aside(key, person, digest.MISSED if late else action, what)
        digest.put_aside(session, handoff, wait, aside, now=now)
        trail.record(session, "nudged", now=now, handoff=handoff, wait=wait.kind, action=action, to=person, over="digest")
        return
    deliveries.queue(
        session,
        handoff,
        deliveries.Message(
            message,
            context={"what": what, "due_at": wait.due_at.isoformat(), "tenure": wait.assignment_id, "wait_id": wait.id, "rep": wait.holder},
        ),
        deliveries.Copy(f"{key}:email", "email", person),
        now=now,
    )
    trail.record(session, "nudged", now=now, handoff=handoff, wait=wait.kind, action=action, to=person)
