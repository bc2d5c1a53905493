"""Sealing: what is new in the trail goes into its chain, a batch in each transaction."""

from __future__ import annotations

from storage import trail
from tasks.toolbox import Toolbox

#: So many batches are sealed one after another; what is left has time until the next call.
BATCHES = 20


async def seal_trail(box: Toolbox) -> int:
    """Seals what is not sealed yet, up to some batches; says how many events."""
    key, sealed = box.settings.seal_key(), 0
    for _ in range(BATCHES):
        more = await box.write(lambda session, now: trail.seal(session, key=key, now=now))
        sealed += more
        if more < trail.BATCH:
            break
    return sealed
