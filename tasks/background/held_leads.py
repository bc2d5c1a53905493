"""Held leads: start leads that were stored but held, a few in each transaction, so that no other transaction waits long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from agreements.errors import NoAgreementInForce
from storage import contracts, handoffs
from storage.database import ROWS_AT_ONCE
from tasks.begin import release
from tasks.wiring.toolbox import Toolbox

#: One transaction starts this many held handoffs: each changes two rows, its own and a wake.
RELEASED_AT_ONCE = ROWS_AT_ONCE // 2


@dataclass(frozen=True, slots=True)
class _Released:
    """The result of one transaction of releasing. started: handoffs that began; looked_at: these and those that stay held; last: the
    highest id of them, None where none was left."""

    started: int = 0
    looked_at: int = 0
    last: int | None = None


async def release_held(
    box: Toolbox, *, limit: int | None = None, only_without_agreement: bool = False, progress: Callable[[int], None] = lambda more: None
) -> int:
    """Starts the handoffs that were stored but held, oldest first; returns how many. One that no agreement in force covers stays held.

    limit: the most to start, None for no limit. only_without_agreement: only those held for lack of an agreement. progress:
    called after each transaction with the number of handoffs it looked at. After an interruption, call it again: started handoffs
    are no longer held. Without only_without_agreement, raises NoAgreementInForce where no agreement is in force at all.
    """
    started, after = 0, 0
    while limit is None or started < limit:
        room = RELEASED_AT_ONCE if limit is None else limit - started
        done = await box.write(
            lambda session, now, after=after, room=room: _release_next(  # type: ignore[misc]
                session, now=now, after=after, limit=room, only_without_agreement=only_without_agreement
            )
        )
        started += done.started
        if done.last is None:
            break
        after = done.last  # by id, so that a handoff that stays held is looked at only once
        progress(done.looked_at)
    return started


def _release_next(session: Session, *, now: datetime, after: int, limit: int, only_without_agreement: bool) -> _Released:
    """Starts the next few held handoffs with an id above `after`, at most `limit`."""
    if not contracts.counting(session, now):
        if only_without_agreement:
            return _Released()
        raise NoAgreementInForce()
    started, looked_at, last = 0, 0, None
    for handoff in handoffs.held_after(session, after, limit=RELEASED_AT_ONCE, only_without_agreement=only_without_agreement):
        if started < limit:
            started += release(session, handoff, now=now)
            looked_at, last = looked_at + 1, handoff.id
    return _Released(started, looked_at, last)
