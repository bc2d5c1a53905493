"""Attempts: this process claims due handoffs from Baton's database, moves their runs in Prefect and carries them out."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import cast

from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, Pause
from prefect.flow_engine import run_flow
from prefect.flows import Flow
from sqlmodel import Session

from app.prefect_runs import Came, EngineAway
from app.run_mover import Claimed, RunMover
from flows.attempt import GIVEN, Lease
from storage import contracts, handoffs, leases
from storage.doorbell import Doorbell
from storage.tables import Handoff
from tasks.background.lost_run import replace_run
from tasks.messages import lead_view
from tasks.steps.screen import question
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.attempts")
#: The longest time between two looks for due handoffs, in seconds: most wakes ring, but some come due by time alone.
LOOK_SECONDS = 1.0
#: How long a lease waits to be given back together with others, in seconds.
GATHER_SECONDS = 0.05
#: How long no run is moved after the Prefect server did not answer, in seconds.
AWAY_SECONDS = 2.0


class Attempts:
    """Carries out at most `limit` handoffs side by side on the event loop of `run`."""

    def __init__(self, box: Toolbox, mover: RunMover, flow: Flow[[str], object], *, limit: int) -> None:
        self.box, self.mover, self.flow, self.limit = box, mover, flow, limit
        self.by = f"{socket.gethostname()}:{os.getpid()}"
        self._under_way: set[asyncio.Task[None]] = set()
        self._over: list[leases.Over] = []
        self._changed = asyncio.Event()
        self._away = False
        #: Whether to begin nothing new for now.
        self.paused = False

    async def run(self, ended: asyncio.Event) -> None:
        """Claim handoffs and carry them out until `ended` is set, then let attempts under way come to rest."""
        with Doorbell(self.box.database, self._ring(asyncio.get_running_loop())):
            while not ended.is_set():
                rung = self._changed.is_set()
                self._changed.clear()
                if not await self._round(rung=rung):
                    await self._pause(LOOK_SECONDS)
        while self._under_way or self._over:
            await self._give_back()
            await self._pause(0.2)

    def _ring(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        def ring() -> None:
            with suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(self._changed.set)

        return ring

    async def _pause(self, seconds: float) -> None:
        """Wait until something changes. Leases to give back wait only a moment for others."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), GATHER_SECONDS if self._over else seconds)

    async def _round(self, *, rung: bool) -> bool:
        """Claim the due handoffs and start them; return whether there were any."""
        try:
            claimed = await self._claim(rung=rung)
        except Exception:
            log.exception("nothing could be claimed; trying again")
            await asyncio.sleep(LOOK_SECONDS)
            return False
        if not claimed:
            return False
        self._start(self._begin([one for one in claimed if one.run_id]))
        for one in claimed:
            if not one.run_id:
                self._start(self._create(one))
        return True

    async def _claim(self, *, rung: bool) -> list[Claimed]:
        """Claim and give leases back in one transaction. Where nothing rang, first look without taking a lock."""
        room, real = self.limit - len(self._under_way), datetime.now(UTC)
        if room <= 0 or self.paused:
            await self._give_back()
            return []
        if not (rung or self._over) and not await self.box.read(lambda session, now: leases.is_any_due(session, now=now, real=real)):
            return []
        over, self._over = self._over, []

        def claim(session: Session, now: datetime) -> list[Claimed]:
            leases.release(session, over)
            due = leases.claim_due(session, by=self.by, now=now, real=datetime.now(UTC), room=room)
            return [_claimed(session, handoff) for handoff in due]

        try:
            return await self.box.write(claim)
        except BaseException:
            self._over += over
            raise

    async def _give_back(self) -> None:
        over, self._over = self._over, []
        if over:
            try:
                await self.box.write(lambda session, now: leases.release(session, over))
            except BaseException:
                self._over += over
                raise

    def _start(self, work: Awaitable[None]) -> None:
        async def guarded() -> None:
            await work

        task = asyncio.create_task(guarded())
        self._under_way.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._changed.set()

    async def _create(self, one: Claimed) -> None:
        await self._carry_out(one, await self._asked(one, self.mover.create(one)))

    async def _begin(self, claimed: Sequence[Claimed]) -> None:
        """Move parked runs with as few calls as possible, and carry out each beside the others."""
        if not claimed:
            return
        try:
            found = await self.mover.begin(claimed)
        except EngineAway as error:
            await asyncio.gather(*(self._put_off(one, error) for one in claimed))
            return
        first, *others = claimed
        for one in others:
            self._start(self._carry_out(one, found[one.handoff_id]))
        await self._carry_out(first, found[first.handoff_id])

    async def _asked(self, one: Claimed, asking: Awaitable[FlowRun | Came]) -> FlowRun | Came | None:
        try:
            found = await asking
        except EngineAway as error:
            await self._put_off(one, error)
            return None
        self._away = False
        return found

    async def _carry_out(self, one: Claimed, run: FlowRun | Came | None) -> None:
        """Carry out one attempt. Give the lease back when the run is parked or ended, and never before."""
        if run is None:
            return
        if isinstance(run, Came):
            await self._lost(one, run)
            return
        lease = Lease(one.handoff_id, one.epoch, str(run.id), given=True, asks=one.asks)
        token = GIVEN.set(lease)
        self.mover.client.know(run)
        try:
            self.box.fault("claimed")
            await cast(Awaitable[object], run_flow(self.flow, flow_run=run, return_type="state"))
        except Pause:
            self.box.fault("parked")
        except Abort:
            await self.mover.finish_cancelling(run.id)
        except Exception as error:
            log.warning("run %s of handoff %s was not carried out: %s", run.id, one.handoff_id, type(error).__name__)
        finally:
            GIVEN.reset(token)
            self.mover.client.forget(run.id)
            self._over.append(lease.over)

    async def _lost(self, one: Claimed, came: Came) -> None:
        cancelled = came == Came.CANCELLED
        await self.box.write(
            lambda session, now: replace_run(session, one.handoff_id, one.run_id, cancelled=cancelled, now=now, epoch=one.epoch)
        )

    async def _put_off(self, one: Claimed, error: EngineAway) -> None:
        """Keep the wakes and try the handoff again in a moment: the server is away."""
        if not self._away:
            log.warning("the Prefect server does not answer; answers are stored and go on when it is back: %s", error)
        self._away = True
        await self.box.write(
            lambda session, now: leases.rest(session, one.handoff_id, one.epoch, seconds=AWAY_SECONDS, real=datetime.now(UTC))
        )


def _claimed(session: Session, handoff: Handoff) -> Claimed:
    version = contracts.get(session, handoff.agreement, handoff.version) if not handoff.flow_run_id else None
    lead = handoffs.lead_of(session, handoff)
    return Claimed(
        handoff_id=handoff.id,
        epoch=handoff.epoch,
        run_no=handoff.run_no,
        run_id=handoff.flow_run_id,
        deployment_id=version.deployment_id if version else "",
        name=lead_view.run_name(session, handoff),
        tags=lead_view.first_tags(handoff),
        asks=question(lead) if handoff.step == "screen" else None,
    )
