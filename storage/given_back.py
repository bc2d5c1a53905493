"""What sales gave back and what reps ticked as wrong in notes, counted by the database: the rows are as many as the reasons."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from agreements.words import GIVEN_BACK, AnswerKind
from storage.disputes import OVERTURNED
from storage.tables import Answer, AnswerState, Dispute, Handoff, Wait

#: So many acceptances with a tick are looked at, the newest first.
TICKED_AT_MOST = 1_000
_ACCEPTED: tuple[AnswerKind, ...] = ("accepted",)


class ReasonTimes(NamedTuple):
    """How often a reason was given under an agreement, how often marketing disputed it, and how often it was overturned."""

    agreement: str
    reason: str
    times: int
    disputed: int
    overturned: int


def reason_times(session: Session, *, since: datetime, now: datetime, holders: Sequence[str] | None = None) -> list[ReasonTimes]:
    """The reasons of rejections and returns that count and can no longer be taken back, the most frequent first.

    since: the earliest time from which they act. holders: only of these people, None for everybody. Instants are aware.
    """
    reason = col(Answer.data)["reason"].as_string().label("reason")
    overturned = func.sum(case((col(Dispute.ruling) == OVERTURNED, 1), else_=0))
    query: Any = select(col(Handoff.agreement), reason, func.count(), func.count(col(Dispute.id)), overturned)
    query = query.select_from(Answer).join(Handoff, col(Handoff.id) == col(Answer.handoff_id))
    query = query.outerjoin(Dispute, col(Dispute.answer_id) == col(Answer.id))
    query = query.where(col(Answer.kind).in_(GIVEN_BACK), *_counted(since, now), *_of(holders)).group_by(col(Handoff.agreement), reason)
    return [ReasonTimes(*row) for row in session.execute(query.order_by(func.count().desc(), reason))]


def ticked(session: Session, *, since: datetime, now: datetime, holders: Sequence[str] | None = None) -> dict[str, int]:
    """How often each statement of a note was ticked as wrong or missing, of the newest TICKED_AT_MOST acceptances with a tick."""
    found: Any = col(Answer.data)["note_wrong"]
    chosen: list[Any] = [found]
    query = select(*chosen).where(col(Answer.kind).in_(_ACCEPTED), *_counted(since, now), found.as_string().is_not(None), *_of(holders))
    rows = session.execute(query.order_by(col(Answer.effective_at).desc()).limit(TICKED_AT_MOST)).scalars()
    return dict(Counter(str(name) for names in rows for name in names).most_common())


def _counted(since: datetime, now: datetime) -> tuple[Any, ...]:
    at = col(Answer.effective_at)
    return col(Answer.state) == AnswerState.COUNTED.value, at >= since, at <= now


def _of(holders: Sequence[str] | None) -> tuple[Any, ...]:
    """Whose answers: of those who had the lead, whoever answered for them."""
    if holders is None:
        return ()
    return (select(col(Wait.id)).where(col(Wait.id) == col(Answer.wait_id), col(Wait.holder).in_(holders)).exists(),)
