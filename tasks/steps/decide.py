"""Decide: a manager (or marketing) decides about a lead that was brought to them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements import presence
from agreements.lifecycle import Stage
from agreements.words import NOT_THERE, word
from storage import handoffs, roster, waits
from storage.tables import Answer, Handoff, Wait
from tasks.choices import CHOICES
from tasks.steps.acceptance import take_answer
from tasks.steps.follow_up import take_progress
from tasks.steps.recycle import ask_decision, hand_over, pass_on, to_nurture
from tasks.work import Work


def decide(work: Work) -> None:
    """Carries out the decision, or the rep's answer if that came first."""
    session, handoff, now = work.session, work.handoff, work.now
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    if wait is None or answer is None:
        return
    if answer.kind == "left" and handoff.rep and answer.data.get("left") == handoff.rep:
        waits.close(session, wait, because="left", now=now)
        hand_over(session, handoff, handoffs.agreement_of(session, handoff), wait, now=now)
    elif answer.kind == "back" and handoffs.open_assignment(session, handoff):
        waits.close(session, wait, because="back", now=now)
        handoff.owner = handoff.rep
        handoffs.move(session, handoff, "given-back", now=now)
    elif answer.kind in NOT_THERE:
        _ask_somebody_else(session, handoff, wait, answer, now)
    elif answer.kind == "decided":
        waits.close(session, wait, because="decided", now=now)
        _carry_out(session, handoff, wait, answer, now)
    elif handoff.stage == Stage.ASSIGNED:
        take_answer(session, handoff, wait, answer, now=now)
    else:
        take_progress(session, handoff, wait, answer, now=now)


def _ask_somebody_else(session: Session, handoff: Handoff, wait: Wait, answer: Answer, now: datetime) -> None:
    """Asks whoever stands in for the person who was to decide, or follows them. The time to decide begins anew."""
    people = roster.current(session)
    named = presence.stand_in(people, str(answer.data.get("asked", "")), now)
    holder = named or presence.stand_in(people, wait.holder, now) or presence.decider(people, wait.holder, now)
    waits.close(session, wait, because=answer.kind, now=now)
    what = f"{people.name_of(wait.holder)}, who was asked to decide, {'is away' if answer.kind == 'away' else 'has left'}."
    ask_decision(session, handoff, handoffs.agreement_of(session, handoff), holder=holder, about=wait.about, now=now, what=what)


def _last_rep(session: Session, handoff: Handoff) -> str:
    rows = handoffs.assignments(session, handoff.id)
    return rows[-1].rep if rows else ""


def _carry_out(session: Session, handoff: Handoff, wait: Wait, answer: Answer, now: datetime) -> None:
    choice = word(str(answer.data.get("choice", "")), CHOICES)
    if choice == "give-back" and handoffs.open_assignment(session, handoff):
        handoff.owner = handoff.rep
        handoffs.move(session, handoff, "given-back", now=now, actor=answer.by)
    elif choice == "give-back":  # the rep gave it up, and is to try again
        pass_on(session, handoff, to=_last_rep(session, handoff), because="decided", now=now)
    elif choice == "reassign":
        pass_on(session, handoff, to=str(answer.data.get("colleague", "")), because="decided", now=now)
    elif choice == "disqualify":
        handoffs.end_assignment(session, handoff, because="decided", now=now)
        handoff.reason = "decided"
        handoffs.move(session, handoff, "disqualified", now=now, actor=answer.by, reason="decided")
    else:
        handoffs.end_assignment(session, handoff, because="decided", now=now)
        handoff.reason = "decided"
        to_nurture(session, handoff, handoffs.agreement_of(session, handoff), now=now, track="unworked", why="decided")
