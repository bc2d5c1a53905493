"""What the attempt under way has locked in this transaction: it is read once and stays true until the commit."""

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

    wakes: those that are due, read before everything else, so that what a wake announces is seen by whatever is read later.
    wait: the open wait, None for none. speech: whether a message is queued and due, None where nobody has looked yet.
    dropped: the ids of wakes that were acted on in this transaction. events: lines of the trail, written in one statement before
    the commit. known: what was found out from rows that only this transaction changes.
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
        """The wakes that are due and that nobody has acted on yet."""
        return [wake for wake in self.wakes if wake.id not in self.dropped]


def keep(session: Session, held: Held) -> None:
    """Lets every reader of this session use what is locked."""
    session.info[_KEY] = held


def of(session: Session, handoff_id: int | None) -> Held | None:
    """What this session holds of that handoff; None where it holds nothing of it."""
    held: Held | None = session.info.get(_KEY)
    return held if held is not None and held.handoff_id == handoff_id else None


def known(session: Session, handoff_id: int | None, name: Hashable, find: Callable[[], T]) -> T:
    """What `find` says, found out once a transaction by whoever holds the handoff, and each time by everybody else."""
    mine = of(session, handoff_id)
    if mine is None:
        return find()
    if name not in mine.known:
        mine.known[name] = find()
    found: T = mine.known[name]
    return found


def forget(session: Session) -> None:
    """Lets everything be found out anew: call this after a change to what others may have found out."""
    held: Held | None = session.info.get(_KEY)
    if held is not None:
        held.known = {}


def drop(session: Session, wake_ids: Iterable[int]) -> None:
    """Notes that these wakes were deleted."""
    held: Held | None = session.info.get(_KEY)
    if held is not None:
        held.dropped.update(wake_ids)
