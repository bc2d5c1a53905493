"""Absences: when one begins, what the person has open is handed over as agreed, or their clock stands; at its end leads may come back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from agreements import presence
from agreements.absences import agreed_for, returns_to
from agreements.errors import RosterError
from agreements.lifecycle import Stage
from agreements.roster import Person, Roster
from agreements.words import OF_REPS, About, AnswerKind, Closed, Ended
from storage import disputes, due, duties, handoffs, roster, waits
from storage.database import ROWS_AT_ONCE
from storage.tables import Answer, Assignment, Handoff, Wait
from tasks.background.absent_offers import end_offers, offered_to_absent
from tasks.background.slices import write_in_slices
from tasks.clock_inputs import NO_CLOCK
from tasks.disputes import rulings
from tasks.wiring.toolbox import Toolbox

#: One transaction hands so many leads over: each changes about five rows.
AT_ONCE = ROWS_AT_ONCE // 5
#: For so long after an absence Baton looks for what comes back: longer than a worker is ever down.
LOOK_BACK = timedelta(days=14)
#: The subjects of waits that have no clock of the rep to stop.
_STANDING: tuple[About, ...] = ("proof", NO_CLOCK)

#: A wait to answer: its id, the answer, and what is known with it.
Said = tuple[str, AnswerKind, Mapping[str, str]]


async def hand_over_absences(box: Toolbox) -> int:
    """Answer the waits of people who are away, or back, where that changes something; return how many.

    The run of each lead then does what is agreed. A wait that began during the absence is left alone until its time is over, unless
    the clock stands for it: whoever opened it knew.
    """
    found, disputed, offered = await box.read(lambda session, now: _found(session, now))
    done = await write_in_slices(box, offered, end_offers, at_once=AT_ONCE)
    done += await write_in_slices(box, found, _answer, at_once=AT_ONCE)
    return done + await write_in_slices(box, disputed, _move_disputes, at_once=AT_ONCE)


def declare_missed(session: Session, wait_ids: Sequence[str], *, now: datetime) -> int:
    """Answer these waits by their deadline, unless whoever is asked was away then: nothing is charged to somebody who is not there.

    Returns how many were answered.
    """
    away = list(_away_when_due(session, wait_ids, now))
    known = {ident for ident, _, _ in away}
    return _answer(session, now, away) + due.declare_missed(session, [one for one in wait_ids if one not in known], now=now)


def _away_when_due(session: Session, wait_ids: Sequence[str], now: datetime) -> Iterator[Said]:
    try:
        people = roster.current(session)
    except RosterError:
        return
    ever = [ident for ident, person in people.people.items() if any(one.from_ <= now for one in person.away)]
    if not ever or not wait_ids:
        return
    found = list(session.exec(select(Wait).where(col(Wait.id).in_(list(wait_ids)), col(Wait.holder).in_(ever))))
    stood = _stood_until(session, found)
    for wait in found:
        person = people.people[wait.holder]
        if wait.about != NO_CLOCK and person.is_away(wait.due_at):
            yield wait.id, "away", _told(person, wait, wait.due_at, stood=stood.get(wait.assignment_id))


def _found(session: Session, now: datetime) -> tuple[list[Said], list[tuple[int, str]], list[str]]:
    """The waits to answer; the disputes to move, each with who decides instead; the offers to end."""
    try:
        people = roster.current(session)
    except RosterError:  # none is loaded, and so nobody has anything
        return [], [], []
    return list(_concerned(session, people, now)), list(_disputed(session, people, now)), list(offered_to_absent(session, people, now))


def _concerned(session: Session, people: Roster, now: datetime) -> Iterator[Said]:
    for ident, person in people.people.items():
        if person.is_away(now):
            yield from _of_absent(session, people, ident, now)
        elif any(now - LOOK_BACK < one.until <= now for one in person.away):
            yield from _of_returned(session, ident, person, now)


def _of_absent(session: Session, people: Roster, ident: str, now: datetime) -> Iterator[Said]:
    """The waits to answer because the person is away."""
    person = people.people[ident]
    begun = min(one.from_ for one in person.away if one.from_ <= now < one.until)
    found = [*session.exec(_held_by(ident)), *session.exec(_to_be_proven(ident, begun))]
    stood = _stood_until(session, [wait for wait, _ in found])
    for wait, handoff in found:
        kept = _is_kept(session, wait, handoff)
        told = stood.get(wait.assignment_id)
        changes = told != person.back_at(now) if kept else wait.opened_at < begun and _moves(people, ident, wait, now)
        if changes and not (kept and wait.about in _STANDING):
            yield wait.id, "away", _told(person, wait, now, stood=told)


def _of_returned(session: Session, ident: str, person: Person, now: datetime) -> Iterator[Said]:
    """The waits to answer because the person is back, some of them earlier than told."""
    found = list(session.exec(_held_by(ident)))
    stood = _stood_until(session, [wait for wait, _ in found])
    for wait, _ in found:
        if wait.kind in OF_REPS and (told := stood.get(wait.assignment_id)) and told > now:
            yield wait.id, "away", {"from": _begun(person, now).isoformat(), "stopped": told.isoformat(), "until": now.isoformat()}
    for wait, handoff in session.exec(_handed_over(ident, now - LOOK_BACK)):
        rules = handoffs.agreement_of(session, handoff).routing.on_leave
        tenures = [(row.rep, row.ended_because) for row in handoffs.assignments(session, handoff.id)]
        if returns_to(rules, Stage(handoff.stage), tenures) == ident:
            yield wait.id, "back", {"colleague": ident}
    for wait, handoff in session.exec(_undecided(ident, now - LOOK_BACK)):
        if handoffs.agreement_of(session, handoff).routing.on_leave.back_after:
            yield wait.id, "back", {"colleague": ident}


def _begun(person: Person, now: datetime) -> datetime:
    """When the last absence of somebody who is back began."""
    return max((one.from_ for one in person.away if one.until <= now), default=now)


def _told(person: Person, wait: Wait, at: datetime, *, stood: datetime | None) -> dict[str, str]:
    """What an answer says of the absence at that instant. stopped: from where on the rest of the time is counted.

    stood: until when the clock stands as it was told last, None if it never did.
    """
    begun = min((one.from_ for one in person.away if one.from_ <= at < one.until), default=at)
    stopped = stood if stood and stood > wait.opened_at else max(begun, wait.opened_at)
    return {"from": begun.isoformat(), "stopped": stopped.isoformat(), "until": person.back_at(at).isoformat()}


def _held_by(ident: str) -> Any:
    """The unanswered waits of a person, each with its handoff."""
    query = select(Wait, Handoff).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    return query.where(Wait.holder == ident, col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))


def _to_be_proven(ident: str, begun: datetime) -> Any:
    """The waits for the proof that the person was told of a lead, from before that instant, each with its handoff."""
    query = select(Wait, Handoff).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    proof = (Wait.about == "proof", col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), Wait.opened_at < begun)
    return query.where(Handoff.rep == ident, Handoff.stage == Stage.ASSIGNED, *proof)


def _handed_over(ident: str, since: datetime) -> Any:
    """The unanswered waits for leads that the person lost by an absence since then and that nobody works on, each with its handoff."""
    query = select(Wait, Handoff).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    away: Ended = "away"
    lost = select(Assignment.handoff_id).where(Assignment.rep == ident, Assignment.ended_because == away)
    lost = lost.where(col(Assignment.ended_at) >= since)
    stages = [Stage.ASSIGNED.value, Stage.ACCEPTED.value]
    unanswered = (col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), Wait.kind != "decision")
    return query.where(col(Handoff.id).in_(lost), col(Handoff.stage).in_(stages), *unanswered)


def _undecided(ident: str, since: datetime) -> Any:
    """The unanswered decisions that were asked because the person, who has the lead, was away; each with its handoff."""
    before = aliased(Wait)
    query = select(Wait, Handoff).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    away: Closed = "away"
    same = (col(before.handoff_id) == col(Wait.handoff_id)) & (col(before.closed_at) == col(Wait.opened_at))
    asked = exists().where(same, col(before.closed_because) == away, col(before.holder) == ident)
    stages = [Stage.ACCEPTED.value, Stage.WORKING.value]
    unanswered = (col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), Wait.kind == "decision", Wait.opened_at >= since)
    return query.where(Handoff.rep == ident, col(Handoff.stage).in_(stages), *unanswered, asked)


def _stood_until(session: Session, found: Iterable[Wait]) -> dict[str, datetime]:
    """By assignment, until when its clock stands or stood as it was told last."""
    idents = [wait.assignment_id for wait in found if wait.assignment_id and wait.kind in OF_REPS]
    if not idents:
        return {}
    query = select(Wait.assignment_id, Answer).join(Answer, col(Answer.id) == col(Wait.answer_id))
    rows = session.exec(query.where(col(Wait.assignment_id).in_(idents), Answer.kind == "away").order_by(col(Answer.id)))
    return {ident: datetime.fromisoformat(answer.data["until"]) for ident, answer in rows if "until" in answer.data}


def _is_kept(session: Session, wait: Wait, handoff: Handoff) -> bool:
    """Whether the rep keeps the lead of this wait while away."""
    of_rep = wait.kind in OF_REPS or wait.about == "proof"
    rules = handoffs.agreement_of(session, handoff).routing.on_leave if of_rep else None
    return rules is not None and agreed_for(rules, Stage(handoff.stage)) == "keep"


def _moves(people: Roster, ident: str, wait: Wait, now: datetime) -> bool:
    """Whether somebody else is there to be asked."""
    if wait.kind == "decision":
        return (presence.stand_in(people, ident, now) or presence.decider(people, ident, now)) not in ("", ident)
    return wait.kind != "note" or presence.marketing(people, now) != ident


def _answer(session: Session, now: datetime, said: Sequence[Said]) -> int:
    done = 0
    for ident, kind, data in said:
        wait = session.get(Wait, ident)
        if wait is not None and wait.closed_at is None and wait.answer_id is None:
            at = max(wait.opened_at, min(now, wait.promised_at)) if kind == "away" else now  # what is not charged is not late
            new = waits.NewAnswer(kind, by="baton", via="clock", data=data)
            done += waits.answer(session, ident, new, now=now, answered_at=at).won
    return done


def _disputed(session: Session, people: Roster, now: datetime) -> Iterator[tuple[int, str]]:
    """The open disputes of people who are away."""
    away = [ident for ident, person in people.people.items() if person.is_away(now)]
    for row in session.exec(duties.open_disputes(*away)) if away else ():
        answer = session.get(Answer, row.answer_id)
        rep = disputes.rep_of(session, answer) if answer else ""
        asked = presence.stand_in(people, row.holder, now)
        asked = asked if asked and asked != rep else presence.decider(people, rep, now)
        if asked != row.holder:
            yield row.id, asked


def _move_disputes(session: Session, now: datetime, found: Sequence[tuple[int, str]]) -> int:
    return sum(rulings.move(session, number, asked, now=now) for number, asked in found)
