"""Work that becomes due by time alone: missed waits, nudges, revisits. Finds and writes them in bulk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, insert
from sqlmodel import Session, col, select

from agreements.words import About, NoWord
from storage import leases, trail, trail_lines, wakes
from storage.tables import Answer, AnswerState, Event, Handoff, Wait, Wake, WakeKind

REVISIT: Final = "revisit"


@dataclass(frozen=True, slots=True)
class DueWait:
    """A wait that is due. run_id, parked_key: where its run is parked, empty where it never was. parks: how often the run was parked."""

    wait_id: str
    handoff_id: int
    run_id: str
    parked_key: str
    parks: int
    about: About | NoWord
    next_at: datetime
    fast_lane: bool


@dataclass(frozen=True, slots=True)
class Nudge:
    """A wake for a wait that has something to say before it is due."""

    handoff_id: int
    kind: WakeKind
    key: str
    fast_lane: bool


def _open() -> ColumnElement[bool]:
    return and_(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))


def _waits(session: Session, found: Any, *conditions: ColumnElement[bool], limit: int) -> list[DueWait]:
    query = found.where(*conditions).limit(limit).with_only_columns(Wait, Handoff.flow_run_id, Handoff.fast_lane)
    return [
        DueWait(wait.id, wait.handoff_id, run_id, wait.parked_key, wait.parks, wait.about, wait.next_at, hot)
        for wait, run_id, hot in session.execute(query)
    ]


def _query(*conditions: ColumnElement[bool], order: Any) -> Any:
    query = select(Wait.id).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    return query.where(_open(), Wait.kind != REVISIT, *conditions).order_by(order, col(Wait.handoff_id))


def missed_query(now: datetime, real: datetime) -> Any:
    """A query for waits past their due time that nobody has answered; see `missed`. real: real time, which decides when leases end."""
    return _query(col(Wait.due_at) <= now, leases.is_free(real), order=col(Wait.due_at))


def nudges_query(now: datetime) -> Any:
    """A query for waits with something to say before they are due; see `nudges`."""
    moves = exists().where(col(Wake.handoff_id) == col(Wait.handoff_id), col(Wake.not_before) <= now)
    return _query(col(Wait.next_at) <= now, col(Wait.due_at) > now, ~moves, order=col(Wait.next_at))


def revisits_query(now: datetime) -> Any:
    """A query for the due waits of nurtured leads."""
    query = select(Wait.id).where(_open(), Wait.kind == REVISIT, col(Wait.next_at) <= now)
    return query.order_by(col(Wait.next_at), col(Wait.handoff_id))


def missed(session: Session, *, now: datetime, but: Collection[str], limit: int) -> list[DueWait]:
    """Waits past their due time that nobody has answered, the longest overdue first.

    A wait whose handoff an attempt is carrying out now is left for the next round: the attempt first reads the answers from Prefect's
    window. but: ids to leave alone.
    """
    others = [col(Wait.id).not_in(list(but))] if but else []
    return _waits(session, missed_query(now, datetime.now(UTC)), *others, limit=limit)


def nudges(session: Session, *, now: datetime, limit: int) -> list[DueWait]:
    """Waits with something to say before they are due. Leaves out handoffs that are about to move anyway."""
    return _waits(session, nudges_query(now), limit=limit)


def revisits(session: Session, *, now: datetime, limit: int) -> list[str]:
    """The ids of the due waits of nurtured leads."""
    return list(session.exec(revisits_query(now).limit(limit)))


def wake(session: Session, found: Sequence[Nudge], *, now: datetime) -> int:
    """Asks for these handoffs to move; returns how many had not been asked already."""
    hot, soon, later = wakes.Urgency
    return wakes.insert_new(
        session,
        Wake,
        [
            wakes.row(
                one.handoff_id,
                one.kind,
                key=one.key,
                not_before=now,
                urgency=later if one.kind in wakes.CAN_WAIT else hot if one.fast_lane else soon,
            )
            for one in found
        ],
    )


def declare_missed(session: Session, wait_ids: Sequence[str], *, now: datetime) -> int:
    """Answers these waits by their deadline, each at the instant it was due, unless somebody was faster. Returns how many.

    On PostgreSQL a wait that somebody answers or carries out at this moment is left for the next round.
    """
    locked = (
        select(Wait, Handoff)
        .join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
        .where(col(Wait.id).in_(list(wait_ids)), _open(), col(Wait.due_at) <= now)
        .with_for_update(of=Wait, skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    rows = session.exec(locked).all() if wait_ids else []
    if not rows:
        return 0
    answers = _store_answers(session, [wait for wait, _ in rows])
    for wait, _ in rows:
        wait.answer_id = answers[wait.id]
    wakes.insert_new(
        session,
        Wake,
        [
            wakes.row(
                handoff.id,
                "answer",
                key=f"answer:{wait.answer_id}",
                not_before=now,
                urgency=wakes.Urgency.HOT if handoff.fast_lane else wakes.Urgency.SOON,
            )
            for wait, handoff in rows
        ],
    )
    trail.write(session, [_event(wait, handoff) for wait, handoff in rows])
    return len(rows)


def _store_answers(session: Session, rows: Sequence[Wait]) -> dict[str, int]:
    """Stores the answers and returns the id of each by its wait."""
    values: list[dict[str, Any]] = [
        {
            "wait_id": wait.id,
            "handoff_id": wait.handoff_id,
            "kind": "deadline",
            "by": "clock",
            "via": "clock",
            "data": {},
            "text_id": None,
            "answered_at": wait.due_at,
            "effective_at": wait.due_at,
            "state": AnswerState.COUNTED.value,
        }
        for wait in rows
    ]
    stored = session.execute(insert(Answer).returning(col(Answer.wait_id), col(Answer.id)), values)
    return {wait_id: ident or 0 for wait_id, ident in stored}


def _event(wait: Wait, handoff: Handoff) -> Event:
    on_time = wait.due_at <= wait.promised_at
    promise = trail_lines.instant(wait.promised_at)
    known: dict[str, Any] = {"wait": wait.kind, "via": "clock", "on_time": on_time}
    known |= {"answer_id": wait.answer_id, "wait_id": wait.id, "promise": promise}
    return trail.line("answered-deadline", now=wait.due_at, handoff=handoff, actor="clock", **known)
