"""Absences: when one begins, what the person has open is handed over as agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from agreements import presence
from agreements.errors import RosterError
from agreements.lifecycle import Stage
from agreements.model import OnLeave
from agreements.roster import Roster
from storage import handoffs, offers, roster, waits
from storage.database import ROWS_AT_ONCE
from storage.tables import Handoff, Offer, Wait
from tasks.background.slices import write_in_slices
from tasks.steps.offering import withdraw_offer
from tasks.wiring.toolbox import Toolbox

#: One transaction hands so many leads over: each changes about five rows.
AT_ONCE = ROWS_AT_ONCE // 5


async def hand_over_absences(box: Toolbox) -> int:
    """Answer, for each person whose absence has begun, the waits that were open at its beginning; return how many.

    The run of each lead then does what is agreed. A wait that began during the absence is left alone: whoever opened it knew.
    """
    offered, found = await box.read(_begun)
    ended = await write_in_slices(box, offered, _end_offers, at_once=AT_ONCE)
    return ended + await write_in_slices(box, found, _answer, at_once=AT_ONCE)


def _begun(session: Session, now: datetime) -> tuple[list[str], list[str]]:
    """The ids of the offers to people whose absence has begun, and of the waits for them."""
    try:
        people = roster.current(session)
    except RosterError:  # none is loaded, and so nobody has anything
        return [], []
    return list(_offered(session, people, now)), list(_concerned(session, people, now))


def _offered(session: Session, people: Roster, now: datetime) -> Iterator[str]:
    """The ids of the open offers to people whose absence has begun since, or who have left the roster."""
    for ident in offers.reps_asked(session):
        person = people.person(ident)
        begun = next((one.from_ for one in person.away if one.from_ <= now < one.until), None) if person else now
        yield from (one.id for one in offers.open_to(session, ident) if begun is not None and one.offered_at < begun)


def _end_offers(session: Session, now: datetime, ids: Sequence[str]) -> int:
    """Takes these reps out of those who are asked. Where nobody is left to ask, the lead is handed over like that of one rep."""
    done = 0
    for ident in ids:
        offer = session.get(Offer, ident)
        wait = waits.open_of(session, offer.handoff_id, lock=True) if offer else None
        if offer is None or wait is None or wait.answer_id is not None or wait.assignment_id != offer.assignment_id:
            continue
        session.refresh(offer)
        if offer.ended_at is None:
            withdraw_offer(session, wait, offer, because="away", now=now)
            done += 1
    return done


def _concerned(session: Session, people: Roster, now: datetime) -> Iterator[str]:
    """The ids of the waits for people whose absence has begun since."""
    for ident, person in people.people.items():
        begun = next((one.from_ for one in person.away if one.from_ <= now < one.until), None)
        if begun is not None:
            found = [*session.exec(_held_by(ident, begun)), *session.exec(_to_be_proven(ident, begun))]
            yield from (wait.id for wait in found if _moves(session, people, ident, wait, now))


def _held_by(ident: str, begun: datetime) -> Any:
    """The unanswered waits of a person from before that instant."""
    return select(Wait).where(Wait.holder == ident, col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), Wait.opened_at < begun)


def _to_be_proven(ident: str, begun: datetime) -> Any:
    """The waits for the proof that the person was told of a lead, from before that instant."""
    theirs = select(Handoff.id).where(Handoff.rep == ident, Handoff.stage == Stage.ASSIGNED)
    proof = (Wait.about == "proof", col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), Wait.opened_at < begun)
    return select(Wait).where(col(Wait.handoff_id).in_(theirs), *proof)


def _moves(session: Session, people: Roster, ident: str, wait: Wait, now: datetime) -> bool:
    """Whether handing over changes anything: it is agreed, or somebody else is there to be asked."""
    if wait.kind == "decision":
        return (presence.stand_in(people, ident, now) or presence.decider(people, ident, now)) not in ("", ident)
    if wait.kind == "note":
        return presence.marketing(people, now) != ident
    handoff = handoffs.get(session, wait.handoff_id)
    return _agreed(handoffs.agreement_of(session, handoff).routing.on_leave, handoff.stage) != "keep"


def _agreed(rules: OnLeave, stage: Stage) -> str:
    return {Stage.ASSIGNED: rules.assigned, Stage.ACCEPTED: rules.accepted}.get(Stage(stage), rules.working)


def _answer(session: Session, now: datetime, ids: Sequence[str]) -> int:
    done = 0
    for ident in ids:
        wait = session.get(Wait, ident)
        if wait is not None and wait.closed_at is None and wait.answer_id is None:
            done += waits.answer(session, ident, waits.NewAnswer("away", by="baton", via="clock"), now=now).won
    return done
