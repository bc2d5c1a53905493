"""One attempt's place in a handoff: what a step gets, and what it gives back after saving what it did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from prefect import task
from prefect.cache_policies import NO_CACHE
from sqlmodel import Session, col, select

from agreements.lifecycle import AT_ONCE, Position
from storage import handoffs, waits, wakes
from storage.tables import Answer, Delivery, Handoff, Wait
from tasks import toolbox

P = ParamSpec("P")
R = TypeVar("R")


def step(function: Callable[P, R]) -> Any:
    """Makes a function a step: a Prefect task without retries or caching, shown under its own name."""
    name = function.__name__.replace("_", " ")
    return task(name=name, task_run_name=name, persist_result=False, cache_policy=NO_CACHE)(function)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a handoff stands, for the attempt that holds its lease under this epoch."""

    handoff_id: int
    epoch: int
    position: Position
    outcome: str = ""
    read_wakes: tuple[int, ...] = ()

    async def save(self, work: Callable[[Session, Handoff, datetime], None]) -> Turn:
        """Does the work in one transaction that carries the epoch, and returns the turn as it then stands.

        Raises StaleHandoff when another attempt has taken over: nothing is saved then.
        """

        def guarded(session: Session, now: datetime) -> Turn:
            work(session, handoffs.owned(session, self.handoff_id, self.epoch), now)
            session.flush()
            return load(session, self.handoff_id, self.epoch, self.read_wakes, now)

        return await toolbox.current().write(guarded)


def load(session: Session, handoff_id: int, epoch: int, read_wakes: tuple[int, ...], now: datetime) -> Turn:
    """The turn as the database has it now."""
    handoff = handoffs.get(session, handoff_id)
    wait = waits.open_of(session, handoff_id)
    answer = waits.answer_of(session, wait) if wait else None
    return Turn(handoff_id, epoch, _position(session, handoff, wait, answer, now), handoff.outcome, read_wakes)


def _position(session: Session, handoff: Handoff, wait: Wait | None, answer: Answer | None, now: datetime) -> Position:
    acts = answer is not None and answer.state == "counted" and (answer.kind in AT_ONCE or answer.effective_at <= now)
    queued = select(Delivery.id).where(Delivery.handoff_id == handoff.id, Delivery.state == "queued", col(Delivery.send_at) <= now)
    waiting = {wake.kind for wake in wakes.pending(session, handoff.id or 0, now=now)}
    return Position(
        stage=handoff.stage,
        step=handoff.step,
        wait_kind=wait.kind if wait and wait.kind != "revisit" else "",
        answered=acts,
        missed=acts and answer is not None and answer.kind == "deadline",
        undone="undo" in waiting,
        nudge_due=bool(wait and answer is None and wait.next_at <= now < wait.due_at),
        speech_due=session.exec(queued.limit(1)).first() is not None,
        rescore="rescore" in waiting,
        bounced="bounce" in waiting,
    )
