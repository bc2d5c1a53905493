"""Notify: tell the rep over several channels until enough of them prove arrival, also after a bounce removes a proof."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.words import NOT_THERE, SEVERAL
from storage import deliveries, handoffs, offers, proof, trail, waits, wakes
from storage.tables import Assignment, Handoff, Wait
from tasks.steps.acceptance import open_acceptance
from tasks.steps.assign import LOOK_AGAIN, open_proof, queue_messages
from tasks.steps.offering import channels_of, reach_each
from tasks.steps.recycle import hand_over
from tasks.work import Doing, Tell, Work


def notify(work: Work) -> Doing:
    """Sends on the agreed channels, then on the fallback. The rep's clock starts when enough channels have proven arrival.

    A message may still bounce, so the step waits for that time. After a bounce the fallback goes out, and a clock that ran on
    this proof stops. If an attempt died while it sent, and the fallback is not enough, those channels are used once more.
    """
    if _is_not_there(work.session, work.handoff):
        _conclude(work.session, work.handoff, work.now)
        return
    _take_back(work.session, work.handoff, work.now)
    yield Tell()
    if _fall_back(work.session, work.handoff, work.now):
        yield Tell()
    if _tell_again(work.session, work.handoff, work.now):
        yield Tell()
    _conclude(work.session, work.handoff, work.now)


def _is_not_there(session: Session, handoff: Handoff) -> bool:
    """Whether the rep has gone away or left before the proof: then nobody is to be told any more."""
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait and wait.kind == "delivery" else None
    return answer is not None and answer.kind in NOT_THERE


def is_proven_at(session: Session, handoff: Handoff, *, now: datetime) -> datetime | None:
    """Return from when enough channels have proven the open assignment, None where too few have."""
    return _proof_of(session, handoff, _tenure(session, handoff), now).since(_wanted(session, handoff))


def _wanted(session: Session, handoff: Handoff) -> int:
    """How many channels must prove the assignment. The CRM tells none of several reps, so it is not missed there."""
    agreement = handoffs.agreement_of(session, handoff)
    wanted = agreement.notify.confirmed_on
    return max(1, min(wanted, len(reach_each(channels_of(agreement, handoff.tier))))) if handoff.rep == SEVERAL else wanted


def _proof_of(session: Session, handoff: Handoff, row: Assignment, now: datetime) -> proof.Proof:
    """The proof that the rep was told, or that one of several was."""
    counting = handoffs.agreement_of(session, handoff).notify.proof.counts
    if row.rep != SEVERAL:
        return proof.proof_of(session, row.id, counting, now=now)
    asked = [one.rep for one in offers.of(session, row.id)]
    return proof.proof_of_one(session, row.id, asked, counting, wanted=_wanted(session, handoff), now=now)


def _tenure(session: Session, handoff: Handoff) -> Assignment:
    row = handoffs.open_assignment(session, handoff)
    assert row is not None, "a lead is in stage assigned only with an open assignment"
    return row


def _take_back(session: Session, handoff: Handoff, now: datetime) -> None:
    """Stops the clock of a rep who has not answered and who, after a bounce, was told on too few channels."""
    wakes.drop(session, [wake.id for wake in wakes.pending(session, handoff.id, now=now) if wake.kind == "bounce"])
    wait = waits.open_of(session, handoff.id)
    if wait is None or wait.kind != "acceptance" or wait.answer_id is not None:
        return
    row = _tenure(session, handoff)
    if is_proven_at(session, handoff, now=now) is not None:
        return
    waits.close(session, wait, because="unproven", now=now)
    row.proven_at = None
    session.add(row)
    handoffs.move(session, handoff, "unproven", now=now, rep=row.rep)
    open_proof(session, handoff, handoffs.agreement_of(session, handoff), row, now=now)


def _short_of_proof(session: Session, handoff: Handoff, now: datetime) -> Assignment | None:
    """The assignment, if the messages sent cannot prove arrival; None if they can, or if no wait for the proof is open."""
    wait = waits.open_of(session, handoff.id)
    if wait is None or wait.kind != "delivery":
        return None
    row = _tenure(session, handoff)
    return row if _proof_of(session, handoff, row, now).expected(_wanted(session, handoff)) is None else None


def _fall_back(session: Session, handoff: Handoff, now: datetime) -> bool:
    """Queues the fallback if the messages sent cannot be enough; whether it did."""
    row = _short_of_proof(session, handoff, now)
    if row is None:
        return False
    queue_messages(session, handoff, handoffs.agreement_of(session, handoff), row, now=now, fallback=True)
    return True


def _tell_again(session: Session, handoff: Handoff, now: datetime) -> bool:
    """Queues again, under new keys, the messages that were being sent when an attempt died: two messages are better than none."""
    row = _short_of_proof(session, handoff, now)
    if row is None:
        return False
    again = [
        deliveries.queue(
            session,
            handoff,
            deliveries.Message(died.message, context=died.context, assignment_id=row.id),
            deliveries.Copy(f"{died.key}:again", died.channel, died.person),
            now=now,
        )
        for died in deliveries.died_with(session, row.id)
        if not died.key.endswith(":again")
    ]
    return any(again)


def _conclude(session: Session, handoff: Handoff, now: datetime) -> None:
    wait = waits.open_of(session, handoff.id)
    if wait is None or wait.kind == "delivery":
        conclude(session, handoff, wait, now=now)


def conclude(session: Session, handoff: Handoff, wait: Wait | None, *, now: datetime) -> None:
    """Opens the rep's clock from the proof, or from an earlier answer. Without either, sets when to look again."""
    answer = waits.answer_of(session, wait) if wait else None
    if wait and answer and answer.kind in NOT_THERE:  # the rep went away before the message was proven
        waits.close(session, wait, because=answer.kind, now=now)
        hand_over(session, handoff, handoffs.agreement_of(session, handoff), wait, now=now)
        return
    row = _tenure(session, handoff)
    found, wanted = _proof_of(session, handoff, row, now), _wanted(session, handoff)
    proven_at = found.since(wanted)
    known = [at for at in (proven_at, answer.answered_at if answer else None) if at is not None]
    if not known:
        _look_again(session, handoff, row, wait, found, now)
        return
    row.proven_at = min(now, *known)
    session.add(row)
    handoffs.move(session, handoff, "notified", now=now, channels=list(found.arrived), answered=answer is not None)
    waits.close_open(session, handoff, because="proven", now=now)
    wait = open_acceptance(session, handoff, row, now=now)
    wait.answer_id = answer.id if answer else None
    session.add(wait)


def _look_again(session: Session, handoff: Handoff, row: Assignment, wait: Wait | None, found: proof.Proof, now: datetime) -> None:
    assert wait is not None, "assigning opens the wait for the proof"
    if expected := found.expected(_wanted(session, handoff)):
        wait.next_at = min(expected, wait.due_at)
        session.add(wait)
        return
    if wait.next_at <= now or now == wait.opened_at:
        trail.record(session, "not-proven-yet", now=now, handoff=handoff, proven=len(found.arrived), rep=row.rep)
    wait.next_at = min(now + max(LOOK_AGAIN, now - wait.opened_at), wait.due_at)  # less and less often: each look is an attempt
    session.add(wait)
