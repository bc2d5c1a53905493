"""Handing over: where Prefect's own workers carry runs out, Baton turns wakes into runs that it creates or resumes."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime

from sqlmodel import Session, col, select

from app.prefect_runs import Came, Engine, EngineAway, Run
from storage import contracts, handoffs, leases, wakes
from storage.tables import Handoff, Wake
from tasks.background.lost_run import replace_run
from tasks.messages import lead_view
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.hand_over")
#: How many leads that can wait are begun before earlier ones have been carried out.
BEGIN_AT_ONCE = 50


class HandOver:
    """Delivers wakes to Prefect, at most `at_once` side by side. A wake is delivered until an attempt has read it."""

    def __init__(self, box: Toolbox, engine: Engine, *, at_once: int) -> None:
        self.box, self.engine = box, engine
        self._at_once = at_once

    async def deliver(self) -> int:
        """Create or resume a run for every handoff with a due wake; return how many.

        Limits the runs that can wait, so that a person who asks for something next is soon served.
        """
        due = await self.box.read(_due)
        gate = asyncio.Semaphore(self._at_once)

        async def one(item: wakes.Due) -> int:
            async with gate:
                return await self._guarded(item)

        results = await asyncio.gather(*(one(item) for item in due), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return sum(result for result in results if isinstance(result, int))

    async def _guarded(self, item: wakes.Due) -> int:
        """Deliver a wake. One that cannot be delivered stops no other, and is tried again after longer and longer pauses."""
        try:
            return await self._deliver(item)
        except EngineAway:
            raise
        except Exception as error:
            known = None if item.tries else error
            log.error("wake of handoff %s could not be delivered; the others go on: %s", item.handoff_id, error, exc_info=known)
            await self.box.write(lambda session, now: _in_vain(session, item))
            return 0

    async def _deliver(self, item: wakes.Due) -> int:
        run = await self.box.read(lambda session, now: _run(session, item))
        if run is None:
            return 0
        if not run.run_id:
            run_id = await self.engine.create(run)
            await self.box.write(lambda session, now: _created(session, run, run_id, item))
            return 1
        came = await self.engine.wake(run)
        if came == Came.MOVED:
            await self.box.write(lambda session, now: wakes.mark_delivered(session, item.wake_ids, real=datetime.now(UTC)))
            return 1
        if came == Came.BUSY:
            await self.box.write(lambda session, now: _in_vain(session, item))
            return 0
        cancelled = came == Came.CANCELLED
        await self.box.write(lambda session, now: replace_run(session, run.handoff_id, run.run_id, cancelled=cancelled, now=now))
        return 1


def _due(session: Session, now: datetime) -> list[wakes.Due]:
    real = datetime.now(UTC)
    found = wakes.due(session, now=now, real=real, which=leases.may_be_moved(real))
    room = max(0, BEGIN_AT_ONCE - wakes.under_way(session, real=real))
    can_wait = [item for item in found if item.can_wait]
    return [item for item in found if not item.can_wait] + can_wait[:room]


def _run(session: Session, item: wakes.Due) -> Run | None:
    """Return the run to move, None where an attempt was quicker."""
    wanted = select(Handoff).join(Wake, col(Wake.handoff_id) == col(Handoff.id)).where(col(Wake.id).in_(item.wake_ids))
    handoff = session.exec(wanted.where(leases.may_be_moved(datetime.now(UTC))).limit(1)).first()
    if handoff is None:
        return None
    waited = (datetime.now(UTC) - item.waiting_since).total_seconds()
    version = contracts.get(session, handoff.agreement, handoff.version)
    name, tags = lead_view.run_name(session, handoff), lead_view.first_tags(handoff)
    return Run(handoff.id, handoff.run_no, handoff.flow_run_id, version.deployment_id, name, waited, tags)


def _created(session: Session, run: Run, run_id: str, item: wakes.Due) -> None:
    handoff = handoffs.get(session, run.handoff_id)
    if not handoff.flow_run_id and handoff.run_no == run.run_no:
        handoff.flow_run_id = run_id
        session.add(handoff)
    wakes.mark_delivered(session, item.wake_ids, real=datetime.now(UTC))


def _in_vain(session: Session, item: wakes.Due) -> None:
    wakes.count_try(session, item.wake_ids)
    leases.put_off(session, item.handoff_id, tries=item.tries + 1, real=datetime.now(UTC))
