"""Held: leads that were stored but not started begin, a few in each transaction, so that nobody else waits long for theirs."""

from __future__ import annotations

from collections.abc import Callable

from storage import leads
from storage.leads import RELEASED_AT_ONCE
from tasks.wiring.toolbox import Toolbox


async def release_held(
    box: Toolbox, *, limit: int | None = None, only_without_agreement: bool = False, progress: Callable[[int], None] = lambda more: None
) -> int:
    """Starts the handoffs that were stored but held, oldest first; says how many.

    limit: at most so many start. only_without_agreement: just those that were held for want of an agreement. progress: told
    after each transaction how many handoffs more were looked at. Whoever is interrupted calls it again: what has started is
    no longer held. Raises NoAgreementInForce as storage.leads.release_held does.
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
        after = done.last  # by number, so that one that stays held is looked at once
        progress(done.looked_at)
    return started
