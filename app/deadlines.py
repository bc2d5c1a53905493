"""Deadlines, nudges and revisits: everything that time alone causes."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from app.prefect_runs import Engine, EngineAway
from storage import due, wakes
from storage.due import DueWait
from storage.tables import WakeKind
from tasks.background.absences import declare_missed
from tasks.background.revisit import look_again
from tasks.steps import release_queue
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.deadlines")
#: How many waits one round looks at, and how many one transaction writes: each takes four rows.
ROUND, AT_ONCE = 500, 12
#: The longest pause before a wait that cannot be looked at is tried again, in seconds.
LONGEST_PUT_OFF = 300.0


class Deadlines:
    """Looks at the waits whose next instant has come. A missed deadline never queues behind a nudge."""

    def __init__(self, box: Toolbox, engine: Engine, *, tick_seconds: float) -> None:
        self.box, self.engine, self.tick_seconds = box, engine, tick_seconds
        self._put_off: dict[str, tuple[float, float]] = {}

    async def missed(self) -> int:
        """Declare missed every unanswered wait whose time is over; return how many things moved.

        Runs that no longer rest are looked at first: an answer given in Prefect's window counts from when it was given.
        """
        off = self._still_put_off()
        found = await self.box.read(lambda session, now: due.missed(session, now=now, but=off, limit=ROUND))
        moved = 0
        for some in _batches(found):
            moved += await self._declare(some)
        return moved

    async def _declare(self, some: Sequence[DueWait]) -> int:
        try:
            awake = await self._not_parked(some)
        except EngineAway:
            raise
        except Exception as error:
            if len(some) > 1:  # one of them cannot be looked at: take each by itself, so that the others go on
                return sum([await self._declare([one]) for one in some])
            self._put_off_one(some[0], error)
            return 0
        for one in some:
            self._put_off.pop(one.wait_id, None)
        moved = sum([await self._look(one) for one in some if one.run_id in awake])
        ids = [one.wait_id for one in some if one.run_id not in awake]
        return moved + await self.box.write(lambda session, now: declare_missed(session, ids, now=now))

    async def _not_parked(self, some: Sequence[DueWait]) -> set[str]:
        parked = {one.run_id: one.parked_key for one in some if one.run_id and one.parked_key}
        return await self.engine.not_parked(parked) if parked else set()

    async def _look(self, one: DueWait) -> int:
        """Look for an answer in a run that no longer rests, as somebody may have resumed it with one; else leave it to an attempt."""
        if await self.engine.collect(one.handoff_id, one.run_id):
            return 1
        key = f"look:{one.wait_id}:{one.parks}"
        await self.box.write(lambda session, now: wakes.add(session, one.handoff_id, "look", key=key, not_before=now))
        return 0

    def _still_put_off(self) -> list[str]:
        return [ident for ident, (until, _) in self._put_off.items() if until > time.monotonic()]

    def _put_off_one(self, one: DueWait, error: Exception) -> None:
        before = self._put_off.get(one.wait_id)
        pause = min(LONGEST_PUT_OFF, 2 * (before[1] if before else self.tick_seconds))
        self._put_off[one.wait_id] = (time.monotonic() + pause, pause)
        known = None if before else error
        log.error("wait %s of handoff %s could not be looked at; the others go on", one.wait_id, one.handoff_id, exc_info=known)

    async def nudges(self) -> int:
        """Wake the runs whose wait has a message to send before it is due; return how many."""
        found = await self.box.read(lambda session, now: due.nudges(session, now=now, limit=ROUND))
        moved = 0
        for some in _batches(found):
            rows = [_nudge(one) for one in some]
            moved += await self.box.write(lambda session, now, rows=rows: due.wake(session, rows, now=now))  # type: ignore[misc]
        return moved

    async def revisits(self) -> int:
        """Look again at nurtured leads whose date has come, each in its own transaction; return how many."""
        moved = 0
        for wait_id in await self.box.read(lambda session, now: due.revisits(session, now=now, limit=AT_ONCE)):
            moved += await self.box.write(lambda session, now, one=wait_id: look_again(session, one, now=now))  # type: ignore[misc]
        return moved


def _batches(found: Sequence[DueWait]) -> Iterable[Sequence[DueWait]]:
    return (found[start : start + AT_ONCE] for start in range(0, len(found), AT_ONCE))


def _nudge(one: DueWait) -> due.Nudge:
    kind: WakeKind = wakes.TURN if one.about == release_queue.ABOUT else "rung"
    return due.Nudge(one.handoff_id, kind, f"rung:{one.wait_id}:{one.next_at.isoformat()}", one.fast_lane)
