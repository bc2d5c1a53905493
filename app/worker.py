"""A Prefect worker that runs attempts inside its own process, many at once on one event loop, instead of one process each."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import prefect.settings
from prefect import Flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.objects import FlowRun
from prefect.context import AsyncClientContext
from prefect.exceptions import Abort, ObjectAlreadyExists, Pause
from prefect.flow_engine import run_flow
from prefect.settings import temporary_settings
from prefect.states import Cancelled, Pending
from prefect.utilities.engine import propose_state
from prefect.workers.base import BaseJobConfiguration, BaseVariables, BaseWorker, BaseWorkerResult
from sqlmodel import Session, col, select

from flows.lead_handoff import lead_handoff
from flows.opportunity_sync import opportunity_sync
from storage.tables import Wake
from tasks.toolbox import Toolbox

log = logging.getLogger("baton.worker")
POOL_TYPE = "baton"
#: How often the worker tells the server that it is there; the server writes that in a way which SQLite refuses now and then.
HEARTBEAT_SECONDS = 600
#: Every flow that may run in this process, by its name at the server.
FLOWS: dict[str, Flow[Any, Any]] = {one.name: one for one in (lead_handoff, opportunity_sync)}


class BatonWorker(BaseWorker[BaseJobConfiguration, BaseVariables, BaseWorkerResult]):
    """Takes runs from its pool and carries them out here.

    The engine gets a copy of the run without its deployment, so that it does not start an observer thread for each attempt;
    see docs/decisions for what of Prefect this leans on. A contract test holds it against the pinned version.
    """

    type = POOL_TYPE
    job_configuration = BaseJobConfiguration
    job_configuration_variables = BaseVariables

    async def setup(self) -> None:
        await super().setup()
        self._flow_names: dict[UUID, str] = {}
        await self._exit_stack.enter_async_context(AsyncClientContext())

    async def run(self, flow_run: FlowRun, configuration: BaseJobConfiguration, task_status: Any = None) -> BaseWorkerResult:
        raise NotImplementedError("attempts run in this process, see _submit_run")

    async def _submit_run(self, flow_run: FlowRun) -> None:
        try:
            flow = await self._flow_of(flow_run)
            if not await self._propose_pending_state(flow_run):
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

    async def _flow_of(self, flow_run: FlowRun) -> Flow[Any, Any]:
        if flow_run.flow_id not in self._flow_names:
            self._flow_names[flow_run.flow_id] = (await self.client.read_flow(flow_run.flow_id)).name
        name = self._flow_names[flow_run.flow_id]
        if name not in FLOWS:
            raise LookupError(f"this worker does not know the flow {name!r}; it knows {', '.join(FLOWS)}")
        return FLOWS[name]

    async def _finish_cancelling(self, run_id: UUID) -> None:
        with suppress(Exception):
            run = await self.client.read_flow_run(run_id)
            if run.state and run.state.is_cancelling():
                await propose_state(self.client, Cancelled(), flow_run_id=run_id)

    @property
    def busy(self) -> int:
        """How many attempts are under way."""
        return len(self._submitting_flow_run_ids)


async def work(box: Toolbox, *, stop: threading.Event, poll_seconds: float = 5.0) -> None:
    """Works until stop is set, then lets attempts under way come to rest.

    Polls Prefect as soon as a wake was delivered, else every poll_seconds (for scheduled flows and resumes by hand).
    """
    logging.getLogger("prefect.flow_runs").addFilter(_WithoutParking())
    await ensure_pool(box.settings.work_pool)
    quick = {prefect.settings.PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}
    with temporary_settings(quick):
        worker = BatonWorker(
            work_pool_name=box.settings.work_pool,
            limit=box.settings.attempts_at_once,
            prefetch_seconds=0,
            heartbeat_interval_seconds=HEARTBEAT_SECONDS,
        )
        async with worker:
            await _poll(worker, box, stop, poll_seconds)
            while worker.busy:
                await asyncio.sleep(0.1)


async def _poll(worker: BatonWorker, box: Toolbox, stop: threading.Event, poll_seconds: float) -> None:
    polled = time.monotonic()
    await worker.sync_with_backend()
    while not stop.is_set():
        now = time.monotonic()
        expected = await box.read(lambda session, _now: _expected(session))
        if expected or now - polled >= poll_seconds:
            polled = now
            try:
                await worker.get_and_submit_flow_runs()
            except Exception as error:
                log.warning("the Prefect server does not answer, trying again: %s", type(error).__name__)
                await asyncio.sleep(1)
        await asyncio.sleep(0.25 if expected else 0.1)


def _expected(session: Session) -> bool:
    return session.exec(select(Wake.id).where(col(Wake.delivered_at).is_not(None)).limit(1)).first() is not None


async def ensure_pool(name: str) -> None:
    """Makes the work pool when it is not there; one that is there stays as it is, of whichever type."""
    async with get_client() as client:
        with suppress(ObjectAlreadyExists):
            await client.create_work_pool(
                WorkPoolCreate(name=name, type=POOL_TYPE, base_job_template=BatonWorker.get_default_base_job_template())
            )


class _WithoutParking(logging.Filter):
    """Prefect logs the end of every attempt that parks as an error, under the name of its state: that is no error."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "Finished in state" not in record.getMessage() or "type=PAUSED" not in record.getMessage()


def run_in_thread(box: Toolbox, stop: threading.Event, *, poll_seconds: float = 5.0) -> threading.Thread:
    """Starts work() on a loop in a thread of its own: Prefect's engine takes over signals only in the main thread."""
    thread = threading.Thread(target=lambda: asyncio.run(work(box, stop=stop, poll_seconds=poll_seconds)), name="baton-worker", daemon=True)
    thread.start()
    return thread
