"""One attempt is one execution of the flow. It holds the handoff's lease from its first step until the run is parked or ended."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from prefect.context import FlowRunContext
from prefect.exceptions import Abort, Pause
from sqlalchemy import update
from sqlmodel import Session, col

from agreements.errors import StaleHandoff
from agreements.lifecycle import Stage
from flows import forms
from flows.going import Going
from flows.resting import Rest
from flows.story import story_of
from flows.telling import tell
from flows.window import show
from storage import handoffs, leases, trail, wakes
from storage.leases import MAX_FAILURES
from storage.tables import Handoff, Wake
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox
from tasks.work import AskCrm

log = logging.getLogger("baton.attempt")
RENEW_SECONDS = leases.LEASE_SECONDS / 3
#: How long a run that Prefect did not park waits for its next attempt.
PARK_AGAIN = timedelta(seconds=2)


@dataclass(slots=True)
class Told:
    """The number of the newest event that this attempt told in Prefect, 0 for none."""

    until: int = 0


class SupersededRun(Exception):
    """Another run is recorded for this handoff and carries it out."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to carry out a handoff. given: the process that started the attempt took the lease and gives it back.

    asks: the question that the first step will ask the CRM, None where the first step asks nothing. told: filled by the attempt, noted
    when the lease is given back.
    """

    handoff_id: int
    epoch: int
    run_id: str = ""
    given: bool = False
    asks: AskCrm | None = None
    told: Told = field(default_factory=Told)

    @property
    def over(self) -> leases.Over:
        """The lease as it is given back."""
        return leases.Over(self.handoff_id, self.epoch, self.told.until)


#: The lease that the worker took for the attempt that it starts in this context.
GIVEN: ContextVar[Lease | None] = ContextVar("given_lease", default=None)


class Attempt:
    """One attempt at a lead: takes steps inside a transaction, then calls the CRM and the channels outside of it."""

    def __init__(self, box: Toolbox, lease: Lease) -> None:
        self.lease = lease
        self._box = box
        self._going = Going(box, lease.handoff_id, lease.epoch, lease.run_id)
        self.is_stuck = False

    @property
    def rest(self) -> Rest | None:
        """Where the lead rests, None while there is more to do."""
        return self._going.rest

    async def take_steps(self) -> None:
        """Take steps in one transaction until one needs the CRM or a channel, or the lead rests."""
        try:
            await asyncio.to_thread(self._going.take_steps)
        finally:
            await show(self._going.shown())
        if self.rest is not None:
            self._box.fault("rests")

    async def ask_and_tell(self) -> None:
        """Ask the CRM or hand messages over, whichever the last step needs. Do nothing where the lead rests."""
        await self._going.ask_and_tell()

    async def ask(self, need: AskCrm) -> None:
        """Ask the CRM before taking the step that needs the answer, which saves a transaction. May raise CrmError."""
        await self._going.ask(need)

    def got_stuck(self, session: Session, handoff: Handoff) -> None:
        """Note that no attempt follows, and what is to be told of that."""
        session.flush()
        self.is_stuck, self._going.story = True, story_of(session, handoff, told=handoff.told_event)

    async def tell(self) -> None:
        """Tell in Prefect what has happened since the last telling, once the run is parked or about to end."""
        story = self._going.story
        if story.until and await tell(story):
            self.lease.told.until = story.until

    async def go_on(self) -> Rest:
        """Take steps and call the CRM and the channels in turn until the lead rests. Return where it rests."""
        while self.rest is None:
            await self.take_steps()
            await self.ask_and_tell()
        return self.rest


@asynccontextmanager
async def attempt(handoff_id: int) -> AsyncIterator[Attempt]:
    """Hold the lease of a handoff, and take it where the worker has not. Count a failed attempt and schedule another one.

    A run that is not the recorded one, or that has lost its lease, ends at once and changes nothing.
    """
    box = toolbox.current()
    lease = await _lease(box, handoff_id)
    renewal = asyncio.create_task(_keep(box, lease))
    going = Attempt(box, lease)
    try:
        if lease.run_id and not lease.given:
            await forms.collect(handoff_id, lease.run_id)
        if lease.asks:
            await going.ask(lease.asks)
        yield going
        await going.tell()
        await _give_back(box, lease)
    except (Pause, Abort):
        await going.tell()
        await _give_back(box, lease)
        raise
    except StaleHandoff as stale:
        raise Abort(str(stale)) from stale
    except Exception as error:
        log.exception("attempt at handoff %s failed", handoff_id)
        store = _not_parked if going.rest is not None else partial(_failed, going)
        if not await box.write(partial(store, lease, type(error).__name__)):
            # This process stood still and another attempt took the lease: only that attempt may set the run's state in Prefect.
            raise Abort("Another attempt carries this lead out by now.") from error
        if going.is_stuck:
            await going.tell()
        raise
    finally:
        renewal.cancel()
        with suppress(asyncio.CancelledError):
            await renewal


def _run_id() -> str:
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""


async def _lease(box: Toolbox, handoff_id: int) -> Lease:
    """Return the lease that the worker took, or take one. Wait while another attempt holds it."""
    given = GIVEN.get()
    if given is not None and given.handoff_id == handoff_id:
        return given
    run_id, by = _run_id(), f"{socket.gethostname()}:{uuid4().hex[:8]}"

    def take(session: Session, now: datetime) -> int | None:
        handoff = handoffs.get(session, handoff_id)
        if run_id and handoff.flow_run_id and handoff.flow_run_id != run_id:
            raise SupersededRun(f"Handoff {handoff_id} is carried out by run {handoff.flow_run_id}.")
        return leases.take(session, handoff_id, by=by, real=datetime.now(UTC))

    while (epoch := await box.write(take)) is None:
        await asyncio.sleep(1)
    return Lease(handoff_id, epoch, run_id)


async def _keep(box: Toolbox, lease: Lease) -> None:
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        with suppress(Exception):  # a renewal that fails is tried again; a lost lease shows at the next write
            await box.write(lambda session, now: leases.renew(session, lease.handoff_id, lease.epoch, real=datetime.now(UTC)))


async def _give_back(box: Toolbox, lease: Lease) -> None:
    """Release the lease. Call this only when the run is parked or ended: if this process dies earlier, its lease moves the handoff on."""
    if not lease.given:
        await box.write(lambda session, now: leases.release(session, [lease.over]))


def _failed(going: Attempt, lease: Lease, error: str, session: Session, now: datetime) -> bool:
    """Count the failure and schedule another attempt; after MAX_FAILURES the handoff is stuck. False when another attempt has the lease."""
    handoff = leases.locked(session, lease.handoff_id)
    if handoff.epoch != lease.epoch:
        return False
    handoff.failures += 1
    handoff.retry_at = datetime.now(UTC) + timedelta(seconds=2**handoff.failures)
    trail.record(session, "attempt-failed", now=now, handoff=handoff, error=error, failures=handoff.failures)
    if handoff.failures >= MAX_FAILURES and handoffs.is_open(handoff) and handoff.stage != Stage.STUCK:
        handoffs.move(session, handoff, "got-stuck", now=now, why=f"{handoff.failures} attempts failed: {error}")
        going.got_stuck(session, handoff)
    _again(session, lease, now)
    return True


def _not_parked(lease: Lease, error: str, session: Session, now: datetime) -> bool:
    """Schedule another attempt without counting a failure: the work is stored, and only Prefect did not take the park.

    False where another attempt has the lease.
    """
    handoff = leases.locked(session, lease.handoff_id)
    if handoff.epoch != lease.epoch:
        return False
    handoff.retry_at = datetime.now(UTC) + PARK_AGAIN
    _again(session, lease, now)
    return True


def _again(session: Session, lease: Lease, now: datetime) -> None:
    leases.release(session, [lease.over])
    session.execute(update(Wake).where(col(Wake.handoff_id) == lease.handoff_id).values(delivered_at=None))
    wakes.add(session, lease.handoff_id, "again", key=f"again:{lease.handoff_id}:{lease.epoch}", not_before=now)
