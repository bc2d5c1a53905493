"""Notify: tell the rep over several channels until enough of them prove that it arrived."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from storage import deliveries, handoffs, trail, waits
from storage.tables import Assignment, Handoff, Wait
from tasks.acceptance import open_acceptance
from tasks.assign import LOOK_AGAIN, queue_messages
from tasks.sending import send_due
from tasks.turn import Turn, step


@step
async def notify(turn: Turn) -> Turn:
    """Sends on the agreed channels, then on the fallback; the rep's clock starts when enough of them are proven."""
    turn = await send_due(turn)
    if not await _is_proven(turn):
        turn = await turn.save(_fall_back)
        turn = await send_due(turn)
    return await turn.save(_conclude)


async def _is_proven(turn: Turn) -> bool:
    seen: list[bool] = []
    await turn.save(lambda session, handoff, now: seen.append(len(_proof(session, handoff)[1]) >= _wanted(session, handoff)))
    return seen[0]


def _proof(session: Session, handoff: Handoff) -> tuple[Assignment, set[str]]:
    row = handoffs.open_assignment(session, handoff)
    assert row is not None, "a lead is in stage assigned only with an open assignment"
    return row, deliveries.proven_channels(session, row.id)


def _wanted(session: Session, handoff: Handoff) -> int:
    return handoffs.agreement_of(session, handoff).notify.confirmed_on


def _fall_back(session: Session, handoff: Handoff, now: datetime) -> None:
    row, _ = _proof(session, handoff)
    queue_messages(session, handoff, handoffs.agreement_of(session, handoff), row, now=now, fallback=True)


def _conclude(session: Session, handoff: Handoff, now: datetime) -> None:
    row, proven = _proof(session, handoff)
    wait = waits.open_of(session, handoff.id or 0)
    answer = waits.answer_of(session, wait) if wait else None
    if answer is None and len(proven) < _wanted(session, handoff):
        _look_again(session, handoff, row, wait, len(proven), now)
        return
    row.proven_at = min(answer.answered_at, now) if answer else now
    session.add(row)
    handoffs.move(session, handoff, "notified", now=now, channels=sorted(proven), answered=answer is not None)
    waits.close_open(session, handoff, because="proven", now=now)
    wait = open_acceptance(session, handoff, row, now=now)
    wait.answer_id = answer.id if answer else None
    session.add(wait)


def _look_again(session: Session, handoff: Handoff, row: Assignment, wait: Wait | None, proven: int, now: datetime) -> None:
    assert wait is not None, "assigning opens the wait for the proof"
    if wait.next_at <= now or now == wait.opened_at:
        trail.record(session, "not-proven-yet", now=now, handoff=handoff, proven=proven, rep=row.rep)
    wait.next_at = min(now + max(LOOK_AGAIN, now - wait.opened_at), wait.due_at)  # ever more seldom: each look is an attempt
    session.add(wait)
