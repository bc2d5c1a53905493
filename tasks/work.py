"""One attempt's work on a handoff: the rows that a step reads and changes, and its requests to the outside."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements.lifecycle import AT_ONCE, Position
from storage import deliveries, waits, wakes
from storage.tables import AnswerState, Handoff


@dataclass(frozen=True, slots=True)
class AskCrm:
    """Ask the CRM about this company. The answer is an Account, or None."""

    company: str
    domain: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Send every due message of this handoff."""


@dataclass(slots=True)
class Work:
    """The inputs of a step: the open transaction, the locked handoff, and the present, read once in each transaction.

    A step that yields AskCrm or Tell continues in another transaction, and reads these attributes again. notes: Markdown for
    the run's page, shown once the transaction is committed. in_flight: the ids of the messages that this attempt is sending.
    """

    session: Session
    handoff: Handoff
    now: datetime
    notes: list[str] = field(default_factory=list)
    in_flight: set[int] = field(default_factory=set)

    @property
    def position(self) -> Position:
        """The position of the handoff, as this transaction left it."""
        return position_of(self.session, self.handoff, now=self.now)


#: The requests of a step between two transactions. The step yields each one and receives its answer.
Doing = Generator[AskCrm | Tell, Any, None]
#: A step changes the handoff in one transaction, or in several with a request to the outside between them.
Step = Callable[[Work], "Doing | None"]


def position_of(session: Session, handoff: Handoff, *, now: datetime) -> Position:
    """The position of a handoff. The wakes are read first, so the later reads see every change that a wake announces."""
    waiting = {wake.kind for wake in wakes.pending(session, handoff.id, now=now)}
    wait = waits.open_of(session, handoff.id)
    answer = waits.answer_of(session, wait) if wait else None
    acts = answer is not None and answer.state == AnswerState.COUNTED and (answer.kind in AT_ONCE or answer.effective_at <= now)
    return Position(
        stage=handoff.stage,
        step=handoff.step,
        wait_kind=wait.kind if wait and wait.kind != "revisit" else "",
        answered=acts,
        missed=acts and answer is not None and (answer.kind == "deadline" or bool(answer.data.get("all_declined"))),
        undone="undo" in waiting,
        nudge_due=bool(wait and answer is None and wait.next_at <= now < wait.due_at),
        speech_due=deliveries.speech_is_due(session, handoff.id, now=now),
        rescore="rescore" in waiting,
        bounced="bounce" in waiting,
    )
