"""Undoing: takes an answer back while nothing builds on it, or says what builds on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import update
from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES, Stage
from agreements.words import AnswerKind, NoWord
from storage import handoffs, trail, waits, wakes
from storage.tables import Answer, AnswerState, Handoff, Touch, Wait, Wake

#: The stage in which a lead stays until something happens after such an answer was carried out.
_STANDS: Mapping[AnswerKind, Stage] = {"accepted": Stage.ACCEPTED, "attempted": Stage.WORKING, "connected": Stage.WORKING}


class Bar(StrEnum):
    """What prevents taking an answer back. Elsewhere: the lead is in another stage, or with somebody else. Under way: a later answer was
    taken back, and Baton is carrying that out. Tried: a further attempt was noted."""

    TOO_LATE = "too-late"
    ENDED = "ended"
    STUCK = "stuck"
    ELSEWHERE = "elsewhere"
    UNDER_WAY = "under-way"
    ANSWERED = "answered"
    MISSED = "missed"
    TRIED = "tried"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer stays. since: the answer that builds on it, None for none; stage: where the lead has gone."""

    bar: Bar
    since: Answer | None = None
    stage: Stage | NoWord = ""


def undo(session: Session, answer_id: int, *, by: str, now: datetime) -> Refusal | None:
    """Takes an answer back while it has not acted outward and nothing builds on it; else says why not, and changes nothing.

    Call inside a write transaction. The handoff and its open wait are locked until it ends, so nothing can come in between.
    """
    row = session.get(Answer, answer_id)
    assert row is not None, "an answer is never deleted"
    session.exec(select(Handoff).where(Handoff.id == row.handoff_id).with_for_update(key_share=True).execution_options(**_FRESH)).one()
    waits.open_of(session, row.handoff_id, lock=True)
    session.refresh(row)
    session.get(Wait, row.wait_id, populate_existing=True)
    if refused := why_not(session, row, now=now):
        return refused
    row.state = AnswerState.UNDONE
    session.add(row)
    session.flush()
    session.execute(  # where nothing has followed yet, the wait may be answered again at once
        update(Wait)
        .where(col(Wait.answer_id) == answer_id, col(Wait.closed_at).is_(None))
        .values(answer_id=None)
        .execution_options(synchronize_session=False)
    )
    wakes.add(session, row.handoff_id, "undo", key=f"undo:{answer_id}", not_before=now)
    handoff = session.get(Handoff, row.handoff_id)
    trail.record(session, "answer-undone", now=now, handoff=handoff, actor=by, answer=row.kind, answer_id=answer_id)
    return None


_FRESH = {"populate_existing": True}


def why_not(session: Session, row: Answer, *, now: datetime) -> Refusal | None:
    """Why this answer cannot be taken back, None where it can. Reads only."""
    if row.state != AnswerState.COUNTED or row.effective_at <= now:
        return Refusal(Bar.TOO_LATE)
    refused = progress_after(session, row)
    if refused is not None and refused.bar == Bar.ELSEWHERE and is_under_way(session, row.handoff_id):
        return Refusal(Bar.UNDER_WAY)
    return refused


def progress_after(session: Session, row: Answer) -> Refusal | None:
    """What has happened since this answer was carried out and builds on it; None for nothing, or if not carried out yet."""
    wait = session.get(Wait, row.wait_id)
    assert wait is not None, "an answer is to a wait: the foreign key says so"
    if wait.closed_at is None:
        return None
    handoff = handoffs.get(session, row.handoff_id)
    if handoff.stage not in OPEN_STAGES or handoff.stage == Stage.STUCK:
        return Refusal(Bar.STUCK if handoff.stage == Stage.STUCK else Bar.ENDED, stage=handoff.stage)
    if since := _answered_since(session, row):
        return Refusal(Bar.MISSED if since.kind == "deadline" else Bar.ANSWERED, since)
    tenure = handoffs.open_assignment(session, handoff)
    if tenure is None or tenure.id != wait.assignment_id or handoff.stage != _STANDS.get(row.kind):
        return Refusal(Bar.ELSEWHERE)
    return Refusal(Bar.TRIED) if _tried_since(session, row) else None


def _answered_since(session: Session, row: Answer) -> Answer | None:
    """The first answer to a later wait of this handoff that counts."""
    query = select(Answer).join(Wait, col(Wait.answer_id) == col(Answer.id))
    query = query.where(Answer.handoff_id == row.handoff_id, Answer.state == AnswerState.COUNTED, Wait.id != row.wait_id)
    # An answer that was held until its code was typed may be older, and yet be to the wait that is open now.
    later = (col(Answer.id) > row.id) | col(Wait.closed_at).is_(None)
    return session.exec(query.where(later).order_by(col(Answer.id)).limit(1)).first()


def _tried_since(session: Session, row: Answer) -> bool:
    """Whether a further attempt was noted after the one that this answer reported."""
    own = select(Touch.id).where(Touch.key == f"answer:{row.id}").scalar_subquery()
    query = select(Touch.id).where(Touch.handoff_id == row.handoff_id, col(Touch.id) > own)
    return session.exec(query.limit(1)).first() is not None


def is_under_way(session: Session, handoff_id: int) -> bool:
    """Whether Baton is taking back an answer that was carried out: the open wait builds on it, and closes."""
    keys = session.exec(select(Wake.key).where(Wake.handoff_id == handoff_id, Wake.kind == "undo")).all()
    taken_back = [answer for key in keys if (answer := session.get(Answer, of_wake(key)))]
    return any(wait.closed_at is not None for answer in taken_back if (wait := session.get(Wait, answer.wait_id)))


def of_wake(key: str) -> int:
    """The number of the answer that a wake with this key asks to take back."""
    return int(key.removeprefix("undo:"))
