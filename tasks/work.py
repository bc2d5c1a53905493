"""One attempt's work on a handoff: what a step reads and changes, and what it asks of the world outside."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements.lifecycle import AT_ONCE, Position
from storage import deliveries, waits, wakes
from storage.tables import Handoff


@dataclass(frozen=True, slots=True)
class AskCrm:
    """What does the CRM know of this company? The answer is an Account, or None."""

    company: str
    domain: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Send every message of this handoff that is due."""


@dataclass(slots=True)
class Work:
    """What a step works with: the transaction under way, the locked handoff, and the present, read once a transaction.

    A step that asks or tells goes on in another transaction: it takes these anew from here then. notes: Markdown to be shown
    beside the run, once the transaction is committed. in_flight: the ids of the messages that this attempt is sending.
    """

    session: Session
    handoff: Handoff
    now: datetime
    notes: list[str] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)

    @property
    def position(self) -> Position:
        """Where the handoff stands, as this transaction left it."""
        return position_of(self.session, self.handoff, now=self.now)


#: What a step does between two transactions: it asks for something outside and is given the answer.
Doing = Generator[AskCrm | Tell, Any, None]
#: A step changes the handoff within one transaction, or within several with something outside between them.
Step = Callable[[Work], "Doing | None"]


def position_of(session: Session, handoff: Handoff, *, now: datetime) -> Position:
    """Where a handoff stands. The wakes are read before everything that they may announce."""
    waiting = {wake.kind for wake in wakes.pending(session, handoff.id, now=now)}
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    acts = answer is not None and answer.state == "counted" and (answer.kind in AT_ONCE or answer.effective_at <= now)
    return Position(
        stage=handoff.stage,
        step=handoff.step,
        wait_kind=wait.kind if wait and wait.kind != "revisit" else "",
        answered=acts,
        missed=acts and answer is not None and answer.kind == "deadline",
        undone="undo" in waiting,
        nudge_due=bool(wait and answer is None and wait.next_at <= now < wait.due_at),
        speech_due=deliveries.speech_is_due(session, handoff.id, now=now),
        rescore="rescore" in waiting,
        bounced="bounce" in waiting,
    )
