"""The rows that the attempt under way has locked in this transaction: it reads them once, and they stay true until the commit."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlmodel import Session

from storage.tables import Event, Wait, Wake

T = TypeVar("T")
_KEY = "held"


@dataclass(slots=True)
class Held:
    """One locked handoff.

    wakes: the due ones, read before everything else, so that every later read sees what a wake announces.
    wait: the open wait, None for none. speech: whether a message is queued and due, None where nobody has looked yet.
    dropped: the ids of wakes that this transaction acted on. events: lines of the trail, written in one statement before the commit.
    known: results from rows that only this transaction changes.
    """

    handoff_id: int
    wakes: list[Wake]
    wait: Wait | None
    speech: bool | None = None
    dropped: set[int] = field(default_factory=set)
    events: list[Event] = field(default_factory=list)
    known: dict[Hashable, Any] = field(default_factory=dict)

    @property
    def open_wait(self) -> Wait | None:
        """The open wait as this transaction left it."""
        return self.wait if self.wait is not None and self.wait.closed_at is None else None

    @property
    def pending(self) -> list[Wake]:
        """The due wakes that nobody has acted on yet."""
        return [wake for wake in self.wakes if wake.id not in self.dropped]


def keep(session: Session, held: Held) -> None:
    """Lets every reader of this session use the locked rows."""
    session.info[_KEY] = held


def of(session: Session, handoff_id: int | None) -> Held | None:
    """What this session holds of that handoff, None for nothing."""
    held: Held | None = session.info.get(_KEY)
    return held if held is not None and held.handoff_id == handoff_id else None


def known(session: Session, handoff_id: int | None, name: Hashable, find: Callable[[], T]) -> T:
    """The result of `find`: calculated once a transaction for a session that holds the handoff, every time for others."""
    mine = of(session, handoff_id)
    if mine is None:
        return find()
    if name not in mine.known:
        mine.known[name] = find()
    found: T = mine.known[name]
    return found


def forget(session: Session) -> None:
    """Drops the results of `known`. Call this after a change that results found earlier may depend on."""
    held: Held | None = session.info.get(_KEY)
    if held is not None:
        held.known = {}


def drop(session: Session, wake_ids: Iterable[int]) -> None:
    """Records that these wakes were deleted."""
    held: Held | None = session.info.get(_KEY)
    if held is not None:
        held.dropped.update(wake_ids)
