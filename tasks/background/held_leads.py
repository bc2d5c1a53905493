"""Held leads: start leads that were stored but held, a few in each transaction, so that no other transaction waits long."""

from __future__ import annotations

from collections.abc import Callable

from storage import leads
from storage.leads import RELEASED_AT_ONCE
from tasks.wiring.toolbox import Toolbox


async def release_held(
    box: Toolbox, *, limit: int | None = None, only_without_agreement: bool = False, progress: Callable[[int], None] = lambda more: None
) -> int:
    """Starts the handoffs that were stored but held, oldest first; returns how many.

    limit: the most to start, None for no limit. only_without_agreement: only those held for lack of an agreement. progress:
    called after each transaction with the number of handoffs it looked at. After an interruption, call it again: started handoffs
    are no longer held. Raises NoAgreementInForce as storage.leads.release_held does.
    """
    started, after = 0, 0
    while limit is None or started < limit:
        room = RELEASED_AT_ONCE if limit is None else limit - started
        done = await box.write(
            lambda session, now, after=after, room=room: leads.release_held(  # type: ignore[misc]
                session, now=now, after=after, limit=room, only_without_agreement=only_without_agreement
            )
        )
        started += done.started
        if done.last is None:
            break
        after = done.last  # by id, so that a handoff that stays held is looked at only once
        progress(done.looked_at)
    return started
