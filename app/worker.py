"""The worker: the clock, and attempts carried out inside this process, many at once on one event loop."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import prefect.settings
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.exceptions import Abort, ObjectAlreadyExists, Pause
from prefect.flow_engine import run_flow
from prefect.settings import temporary_settings
from prefect.states import Cancelled, Pending
from prefect.utilities.engine import propose_state
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult

from app.attempt_client import AttemptClient, AttemptClientContext
from app.attempts import Attempts
from app.clock import Clock
from app.heartbeat import beating
from app.lean_flows import lean_flows
from app.prefect_check import check_prefect
from app.prefect_runs import PrefectEngine
from app.run_mover import RunMover
from app.starting import CannotStart
from app.tidying import tidy
from flows.lead_handoff import lead_handoff
from storage import handoffs
from tasks.wiring import toolbox
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.worker")
POOL_TYPE = "baton"
#: How often the worker asks Prefect for flows that run by its timetable, in seconds.
TIMETABLE_SECONDS = 15.0
#: How often the worker tells the server that it is alive, in seconds. On SQLite the server's write for this fails now and then.
HEARTBEAT_SECONDS = 600
#: How often the worker looks whether something is to be deleted at the Prefect server, in seconds.
TIDY_SECONDS = 5.0
#: How often the worker asks Prefect whether the work pool is paused, in seconds.
POOL_SECONDS = 5.0


class BatonWorker(BaseWorker[BaseJobConfiguration, BaseVariables, BaseWorkerResult]):
    """Carries out in this process what its pool has scheduled: flows that run by the timetable, and runs that a person started.

    Handoffs that Baton moves do not come this way, see attempts.py.
    The engine gets a copy of the run without its deployment, so that it does not start an observer thread for each run;
    docs/decisions names the parts of Prefect that this class relies on. A contract test holds it against the pinned version.
    """

    type = POOL_TYPE
    job_configuration = BaseJobConfiguration
    job_configuration_variables = BaseVariables

    async def setup(self) -> None:
        await super().setup()
        self._flow_names: dict[UUID, str] = {}
        self._flows = await lean_flows()

    async def run(self, flow_run: FlowRun, configuration: BaseJobConfiguration, task_status: Any = None) -> BaseWorkerResult:
        raise NotImplementedError("runs are carried out in this process, see _submit_run")

    async def _submit_run(self, flow_run: FlowRun) -> None:
        try:
            flow = await self._flow_of(flow_run)
            if await self._is_moved_elsewhere(flow_run) or not await self._propose_pending_state(flow_run):
                return
            alone = flow_run.model_copy(update={"deployment_id": None, "state": Pending()})
            await cast(Awaitable[object], run_flow(flow, flow_run=alone, return_type="state"))
        except Pause:
            pass
        except Abort:
            await self._finish_cancelling(flow_run.id)
        except Exception as error:
            log.exception("run %s could not be carried out", flow_run.id)
            with suppress(Exception):
                await self._propose_crashed_state(flow_run, repr(error))
        finally:
            self._release_limit_slot(flow_run.id)
            self._submitting_flow_run_ids.discard(flow_run.id)

    async def _is_moved_elsewhere(self, flow_run: FlowRun) -> bool:
        """Return whether attempts.py moves this run: a lead's own run that was resumed by hand, whose answer is read first there."""
        run_id = str(flow_run.id)
        return await toolbox.current().read(lambda session, now: handoffs.is_recorded(session, run_id))

    async def _flow_of(self, flow_run: FlowRun) -> Flow[Any, Any]:
        if flow_run.flow_id not in self._flow_names:
            self._flow_names[flow_run.flow_id] = (await self.client.read_flow(flow_run.flow_id)).name
        name = self._flow_names[flow_run.flow_id]
        if name not in self._flows:
            raise LookupError(f"this worker does not know the flow {name!r}; it knows {', '.join(self._flows)}")
        return self._flows[name]

    async def _finish_cancelling(self, run_id: UUID) -> None:
        with suppress(Exception):
            run = await self.client.read_flow_run(run_id)
            if run.state and run.state.is_cancelling():
                await propose_state(self.client, Cancelled(), flow_run_id=run_id)

    @property
    def busy(self) -> int:
        """Return how many runs are under way."""
        return len(self._submitting_flow_run_ids)


async def work(box: Toolbox, *, stop: threading.Event, on_sqlite: bool, timetable_seconds: float = TIMETABLE_SECONDS) -> None:
    """Work until stop is set, then let attempts under way come to rest.

    on_sqlite: the Prefect server keeps its runs in SQLite. Where the work pool is not of Baton's type, this process only
    hands runs over to the workers of that pool.
    """
    logging.getLogger("prefect.flow_runs").addFilter(_WithoutParking())
    async with get_client() as client:
        await check_prefect(box, client)
    pool_type = await ensure_pool(box.settings.work_pool)
    with temporary_settings({prefect.settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        async with AttemptClientContext() as context:
            client = cast(AttemptClient, context.client)
            engine = PrefectEngine(client)
            own = pool_type == POOL_TYPE
            at_once = box.settings.resume_at_once or (1 if on_sqlite or box.database.is_sqlite else 8)
            clock = Clock(box, engine, tick_seconds=box.settings.tick_seconds, at_once=at_once, hands_over=not own)
            ended = await _ending(stop)
            parts = [clock.run(ended), beating(box, clock, ended), _tidying(box, client, ended)]
            if own:
                flow, mover = await _prepared(client)
                attempts = Attempts(box, mover, flow, limit=box.settings.attempts_at_once)
                parts += [attempts.run(ended), _timetable(box, ended, timetable_seconds), _heed_pool(box, client, attempts, ended)]
            else:
                log.info("the work pool %s is of type %s: its own workers carry the runs out", box.settings.work_pool, pool_type)
            await asyncio.gather(*parts)


async def _ending(stop: threading.Event) -> asyncio.Event:
    """Return an event of this loop that is set soon after stop, so that nothing has to poll."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()

    def watch() -> None:
        stop.wait()
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, name="baton-ending", daemon=True).start()
    return ended


async def _prepared(client: AttemptClient) -> tuple[Flow[[str], object], RunMover]:
    """Return the flow as this process carries it out, and the mover of its runs."""
    flows = await lean_flows([lead_handoff])
    return flows[lead_handoff.name], RunMover(client, await client.create_flow(lead_handoff))


async def _timetable(box: Toolbox, ended: asyncio.Event, seconds: float) -> None:
    """Carry out what the server has scheduled, until the worker is to end."""
    worker = BatonWorker(
        work_pool_name=box.settings.work_pool,
        limit=box.settings.attempts_at_once,
        prefetch_seconds=0,
        heartbeat_interval_seconds=HEARTBEAT_SECONDS,
    )
    async with worker:
        await worker.sync_with_backend()
        while not ended.is_set():
            try:
                await worker.get_and_submit_flow_runs()
            except Exception as error:
                log.warning("the Prefect server does not answer, trying again: %s", type(error).__name__)
            await _sleep(seconds, ended)
        while worker.busy:
            await asyncio.sleep(0.1)


async def _heed_pool(box: Toolbox, client: AttemptClient, attempts: Attempts, ended: asyncio.Event) -> None:
    """Begin no lead while somebody has paused the work pool in Prefect. Answers and deadlines are stored all the same."""
    while not ended.is_set():
        with suppress(Exception):  # the server is away: its last answer holds
            paused = (await client.read_work_pool(box.settings.work_pool)).is_paused
            if paused != attempts.paused:
                log.warning("the work pool %s is %s", box.settings.work_pool, "paused: leads wait" if paused else "resumed: leads go on")
            attempts.paused = paused
        await _sleep(POOL_SECONDS, ended)


async def _tidying(box: Toolbox, client: AttemptClient, ended: asyncio.Event) -> None:
    """Delete at Prefect what is to be deleted there, and finish erasures under way."""
    while not ended.is_set():
        try:
            await tidy(box, client)
        except Exception as error:
            log.warning("what is to be deleted at the Prefect server waits: %s", type(error).__name__)
        await _sleep(TIDY_SECONDS, ended)


async def _sleep(seconds: float, ended: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(ended.wait(), seconds)


async def ensure_pool(name: str) -> str:
    """Create the work pool where there is none and leave an existing one as it is; return its type."""
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(
                WorkPoolCreate(name=name, type=POOL_TYPE, base_job_template=BatonWorker.get_default_base_job_template())
            )
        return (await client.read_work_pool(name)).type


class _WithoutParking(logging.Filter):
    """Drops Prefect's error lines about attempts that park: Prefect logs each under the name of its state, but parking is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Finished in state" not in record.getMessage() or "type=PAUSED" not in record.getMessage()


def run_in_thread(box: Toolbox, stop: threading.Event, *, on_sqlite: bool, timetable_seconds: float) -> threading.Thread:
    """Start work() on a loop in its own thread: Prefect's engine takes over signals only in the main thread."""

    def run() -> None:
        try:
            asyncio.run(work(box, stop=stop, on_sqlite=on_sqlite, timetable_seconds=timetable_seconds))
        except CannotStart as refused:
            log.critical("%s", refused)

    here = contextvars.copy_context()  # Prefect's settings belong to a context, which a new thread does not inherit
    thread = threading.Thread(target=lambda: here.run(run), name="baton-worker", daemon=True)
    thread.start()
    return thread
