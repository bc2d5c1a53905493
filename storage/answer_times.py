"""How long reps took in the past: what a backtest draws from. Read only, in one statement."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func
from sqlalchemy import select as select_columns
from sqlmodel import Session, col

from agreements.words import AnswerKind, ClockName
from storage.tables import Answer, AnswerState, Assignment, Wait

#: Answers from longer ago say little about today.
LOOK_BACK = timedelta(days=365)
#: So many of the newest answers of a rep to one promise are read.
AT_MOST = 200
_PROMISES: tuple[ClockName, ...] = ("acceptance", "first_attempt")
_NOBODY: tuple[AnswerKind, ...] = ("deadline",)
#: Answers of nobody that say nothing about how quick the rep is: the rep was away, or has left.
_NOT_THERE: tuple[AnswerKind, ...] = ("away", "left", "back")


@dataclass(frozen=True, slots=True)
class PastAnswer:
    """How one promise ended. asked_at: when the rep was told, or had accepted; answered_at: None where the rep did not answer until
    the lead was taken away. Instants are aware UTC."""

    rep: str
    promise: ClockName
    asked_at: datetime
    answered_at: datetime | None


def past_answers(session: Session, *, now: datetime) -> Iterator[PastAnswer]:
    """Yield how the promises of the last year ended, the newest first, at most AT_MOST of each rep and promise.

    A promise that is still open, or that ended for another cause, is left out. Further time after a miss belongs to the same promise.
    """
    own = case((col(Answer.by) == col(Assignment.rep), col(Answer.answered_at)))
    nobodys = case((col(Answer.kind).in_(_NOBODY), 1))
    asked_at = func.min(Wait.opened_at)
    query = (
        _columns(Assignment.rep, Wait.kind, asked_at, func.max(own), func.count(nobodys))
        .join(Assignment, col(Assignment.id) == col(Wait.assignment_id))
        .join(Answer, col(Answer.id) == col(Wait.answer_id))
        .where(col(Wait.kind).in_(_PROMISES), col(Wait.opened_at) >= now - LOOK_BACK, col(Wait.closed_at).is_not(None))
        .where(col(Answer.state) == AnswerState.COUNTED.value, col(Answer.kind).not_in(_NOT_THERE))
        .group_by(col(Assignment.id), col(Assignment.rep), col(Wait.kind))
        .order_by(asked_at.desc(), col(Assignment.id))
    )
    read: Counter[tuple[str, str]] = Counter()
    for rep, promise, asked, answered, missed in session.execute(query.execution_options(yield_per=2_000)):
        if (answered or missed) and read[rep, promise] < AT_MOST:
            read[rep, promise] += 1
            yield PastAnswer(rep, promise, asked, answered)


def _columns(*columns: Any) -> Select[Any]:
    """Selects single columns, of any type and number."""
    return select_columns(*columns)
