"""Repair: finds handoffs and runs that got stuck and moves them again, and takes in what people did in Prefect's own window."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from agreements.lifecycle import OPEN_STAGES, Stage
from app.prefect_runs import Engine
from storage import leases, strays, waits, wakes
from storage.tables import Handoff
from tasks.background.lost_run import replace_run
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.repair")
#: How many runs are compared with Prefect at a time, and how many dead leases or stranded handoffs one round moves.
SLICE, ROUND = 200, 50


class Repair:
    """Looks for handoffs that nothing would move, and for runs that ended without their handoff."""

    def __init__(self, box: Toolbox, engine: Engine) -> None:
        self.box, self.engine = box, engine
        self._compared_up_to = self._looked_up_to = 0

    async def dead(self) -> int:
        """Wake the handoffs whose attempt died; return how many."""
        real = datetime.now(UTC)
        dead = await self.box.read(lambda session, now: strays.dead_leases(session, real=real, limit=ROUND))
        return await self.box.write(lambda session, now: strays.revive(session, dead, now=now)) if dead else 0

    async def stranded(self) -> int:
        """Wake any other open handoff that nothing would move, one stretch of them each time; return how many. There should be none."""
        moved, after = 0, self._looked_up_to
        found, self._looked_up_to = await self.box.read(lambda session, now: strays.stranded(session, after=after))
        for handoff_id in found[:ROUND]:
            if await self.box.write(lambda session, now, one=handoff_id: strays.rescue(session, one, now=now)):  # type: ignore[misc]
                log.error("handoff %s was stranded: nothing would have moved it. It goes on; please report this.", handoff_id)
                moved += 1
        return moved

    async def collect(self) -> int:
        """Store answers given in Prefect's window, counted from that moment. Wake a run that was resumed without an answer."""
        collected = 0
        for run_id in await self.engine.resumed():
            handoff_id = await self.box.read(lambda session, now, run_id=run_id: _resumed_by_hand(session, run_id))  # type: ignore[misc]
            if handoff_id is None:
                continue
            if await self.engine.collect(handoff_id, run_id):
                collected += 1
            else:
                await self.box.write(lambda session, now, one=handoff_id: _look(session, one, now))  # type: ignore[misc]
        return collected

    async def reconcile(self) -> int:
        """Compare the next slice of the open handoffs with Prefect, and replace runs that a person cancelled or that were lost."""
        runs = await self.box.read(lambda session, now: _open_runs(session, after=self._compared_up_to))
        self._compared_up_to = max(runs.values()) if len(runs) == SLICE else 0
        ended = await self.engine.ended(list(runs)) if runs else {}
        for run_id, cancelled in ended.items():
            await self.box.write(
                lambda session, now, r=run_id, c=cancelled: replace_run(session, runs[r], r, cancelled=c, now=now)  # type: ignore[misc]
            )
        return len(ended)


def _open_runs(session: Session, *, after: int) -> dict[str, int]:
    stages = [one.value for one in OPEN_STAGES if one != Stage.STUCK]
    query = select(Handoff.flow_run_id, Handoff.id).where(
        col(Handoff.ended_at).is_(None),
        col(Handoff.stage).in_(stages),
        Handoff.flow_run_id != "",
        col(Handoff.id) > after,
        leases.is_free(datetime.now(UTC)),
    )
    return {run_id: handoff_id or 0 for run_id, handoff_id in session.exec(query.order_by(col(Handoff.id)).limit(SLICE))}


def _resumed_by_hand(session: Session, run_id: str) -> int | None:
    """Return the handoff of a run that somebody resumed; None where Baton resumed the run, or an attempt has taken it up."""
    handoff = session.exec(select(Handoff).where(Handoff.flow_run_id == run_id)).first()
    if handoff is None or wakes.was_handed_over(session, handoff.id):
        return None
    leased = handoff.lease_until is not None and handoff.lease_until > datetime.now(UTC)
    return None if leased else handoff.id


def _look(session: Session, handoff_id: int, now: datetime) -> bool:
    wait = waits.open_of(session, handoff_id)
    key = f"look:{wait.id}:{wait.parks}" if wait else f"look:{handoff_id}:{now.isoformat()}"
    return wakes.add(session, handoff_id, "look", key=key, not_before=now)
