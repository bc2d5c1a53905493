"""Escalate: after a missed clock, climb the ladder until a rung changes the stage or gives more time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session

from agreements import presence
from agreements.ladder import next_rung
from agreements.model import Agreement, Rung
from agreements.words import SEVERAL, Action, ClockName, NotInTime
from storage import handoffs, offers, proof, roster, trail, waits
from storage.tables import AnswerState, Handoff, Wait
from tasks.clock_inputs import NO_CLOCK, bound_of, calendar_of, clock_name, clock_of
from tasks.steps.assign import HOLD_FOR
from tasks.steps.notify import conclude, is_proven_at
from tasks.steps.qualify import UNASSIGNED
from tasks.steps.recycle import ask_decision, pass_on, to_nurture, withdraw
from tasks.steps.remind import nudge
from tasks.work import Work

MISSED: Mapping[ClockName, NotInTime] = {
    "delivery": "not delivered in time",
    "acceptance": "not answered in time",
    "first_attempt": "not attempted in time",
    "outcome": "no outcome in time",
    "note": "note not completed in time",
    "decision": "not decided in time",
}
UNSEEN: Final = "not seen in time"
#: Nobody of several reps who were asked at once took the lead. It is charged to none of them.
UNCLAIMED: Final = "not claimed in time"
#: The same in a sentence for the manager who is asked to decide.
SENTENCES: Mapping[NotInTime, str] = {
    "not delivered in time": "Nothing proved in time that a rep has the lead.",
    "not answered in time": "{name} did not answer in time.",
    "not attempted in time": "{name} did not try to reach the lead in time.",
    "no outcome in time": "{name} did not say in time what came of the lead.",
    "note not completed in time": "{name} did not complete the handoff note in time.",
    "not decided in time": "{name} did not decide in time.",
    UNSEEN: "{name} did not look at the lead in time.",
    UNCLAIMED: "None of the reps who were asked took the lead.",
}


def escalate(work: Work) -> None:
    """Records who missed the clock, and climbs its ladder."""
    session, handoff, now = work.session, work.handoff, work.now
    agreement = handoffs.agreement_of(session, handoff)
    wait = waits.open_of(session, handoff.id)
    assert wait is not None, "a wait that was missed is open until it is escalated"
    if wait.about == "proof" and _was_proven_in_time(session, handoff, wait, now):
        conclude(session, handoff, wait, now=now)
        return
    answer = waits.answer_of(session, wait)
    if answer is not None and answer.kind == "rejected":  # all of several reps declined, and the agreed time is not over
        if wait.kind == "delivery":
            conclude(session, handoff, wait, now=now)
            return
        waits.close(session, wait, because="rejected", now=now)
        climb(session, handoff, agreement, wait, now)
        return
    if wait.rung == 0 and wait.about != NO_CLOCK:
        owed_by = "system" if wait.about == "proof" else agreement.clock(clock_name(wait), handoff.leg).owed_by
        because = missed_words(session, wait)
        facts: dict[str, Any] = {"clock": wait.kind, "owed_by": owed_by, "holder": wait.holder, "because": because}
        trail.record(session, "missed", now=wait.due_at, handoff=handoff, **facts)
    waits.close(session, wait, because="missed", now=now)
    climb(session, handoff, agreement, wait, now)


def _was_proven_in_time(session: Session, handoff: Handoff, wait: Wait, now: datetime) -> bool:
    """Whether the proof came in time but was read only after the deadline. The deadline's answer is then marked as late."""
    since = is_proven_at(session, handoff, now=now)
    deadline = waits.answer_of(session, wait)
    if since is None or since > wait.due_at or deadline is None or deadline.kind != "deadline":
        return False
    deadline.state, wait.answer_id = AnswerState.LATE, None
    session.add_all([deadline, wait])
    session.flush()
    return True


def missed_words(session: Session, wait: Wait) -> NotInTime:
    """Return what was not done in time, in words. A rep whose page was never opened has not seen the lead."""
    if wait.kind == "acceptance" and wait.holder == SEVERAL:
        return UNCLAIMED
    unseen = wait.kind == "acceptance" and not proof.was_seen(session, wait.assignment_id)
    return UNSEEN if unseen else MISSED[clock_name(wait)]


def climb(session: Session, handoff: Handoff, agreement: Agreement, wait: Wait, now: datetime) -> None:
    """Takes rungs until one changes the stage or gives more time."""
    ladder = clock_of(session, handoff, clock_name(wait)).when_missed
    climbed = list(handoff.climbed.get(wait.kind, []))
    granted = wait.rung - 1
    without: frozenset[Action] = frozenset({"reassign"}) if _total_is_used_up(session, handoff, wait, now) else frozenset()
    while (index := next_rung(ladder, climbed, without=without)) is not None:
        rung = ladder[index]
        if rung.after is not None and index != granted:
            _give_more_time(session, handoff, wait, rung, index, now)
            return
        granted = -1
        climbed.append(index)
        handoff.climbed = {**handoff.climbed, wait.kind: climbed}
        session.add(handoff)
        trail.record(session, "escalated", now=now, handoff=handoff, clock=wait.kind, rung=index + 1, do=rung.do)
        if rung.ends:
            _change_stage(session, handoff, agreement, wait, rung, now)
            return
        nudge(session, handoff, wait, rung.do, key=f"{wait.id}:missed:{index}", now=now)
    to_nurture(session, handoff, agreement, now=now, track="unworked", why="every rung of the ladder was used up")


def _total_is_used_up(session: Session, handoff: Handoff, wait: Wait, now: datetime) -> bool:
    bound = bound_of(session, handoff, clock_name(wait), wait.holder)
    return bound is not None and now >= bound


def _give_more_time(session: Session, handoff: Handoff, wait: Wait, rung: Rung, index: int, now: datetime) -> None:
    assert rung.after is not None, "only a rung with a further time gives one"
    due = max(rung.after.after(wait.due_at, calendar_of(session, handoff, clock_name(wait), wait.holder)), now)
    meanwhile = min(now + HOLD_FOR, due) if wait.about in UNASSIGNED else None  # a rep may be free earlier
    again = waits.NewWait.again(wait, due_at=due, promised_at=wait.promised_at, rung=index + 1)
    waits.open_wait(session, handoff, replace(again, next_at=meanwhile), now=now)


def _change_stage(session: Session, handoff: Handoff, agreement: Agreement, wait: Wait, rung: Rung, now: datetime) -> None:
    because = missed_words(session, wait)
    if rung.do == "reassign" or rung.do == "default-acceptor":
        to = agreement.routing.default_acceptor if rung.do == "default-acceptor" else ""
        pass_on(session, handoff, to=to, because=because, now=now)
    elif rung.do == "manager-decides":
        people = roster.current(session)
        holder = presence.decider(people, offers.asked_for(session, handoff.rep or wait.holder, wait.assignment_id), now)
        what = SENTENCES[because].format(name=people.name_of(wait.holder))
        if wait.holder == SEVERAL:
            withdraw(session, handoff, because=because, now=now)
        ask_decision(session, handoff, agreement, holder=holder, about=wait.kind, now=now, what=what)
    else:
        handoffs.end_assignment(session, handoff, because=because, now=now)
        handoff.reason = because.replace(" ", "-")
        if rung.do == "nurture":
            to_nurture(session, handoff, agreement, now=now, track=rung.track or "unworked", why=because)
        else:
            handoffs.move(session, handoff, "disqualified", now=now, reason=handoff.reason)
