"""The flows that Prefect schedules, carried out by the worker: Prefect's engine does not ask the server where results go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_LOGGING_TO_API_ENABLED, temporary_settings

from app import stack
from app.lean_flows import FLOWS
from app.worker import BatonWorker, ensure_pool
from tasks.wiring.toolbox import Toolbox
from tests.patience import PATIENCE_SECONDS
from tests.prefect_server import prefect_server

pytestmark = [pytest.mark.long, pytest.mark.live]
#: The call by which the engine asks where results go, on a connection that it never closes.
ASKS = "/api/admin/storage"


async def carried_out(name: str) -> str:
    """Have the worker carry out a scheduled run of this flow; return the name of the run's last state."""
    await ensure_pool("baton")
    async with get_client() as client:
        deployment = await client.create_deployment(await client.create_flow(FLOWS[name]), name="now", work_pool_name="baton")
        run = await client.create_flow_run_from_deployment(deployment)
        async with BatonWorker(work_pool_name="baton", prefetch_seconds=0) as worker:
            await worker.sync_with_backend()
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not (state := (await client.read_flow_run(run.id)).state) or not state.is_final():
                    await worker.get_and_submit_flow_runs()
                    await asyncio.sleep(0.1)
        return state.name or ""


def test_no_scheduled_flow_asks_where_results_go(tmp_path: Path, box: Toolbox) -> None:
    with prefect_server(tmp_path, PREFECT_SERVER_LOGGING_LEVEL="INFO") as server:
        url, log_in = server["PREFECT_API_URL"].removesuffix("/api"), server["PREFECT_API_AUTH_STRING"]
        with stack.talking_to(url, log_in), temporary_settings({PREFECT_LOGGING_TO_API_ENABLED: False}):
            states = {name: asyncio.run(carried_out(name)) for name in FLOWS if name != "lead-handoff"}
        log = (tmp_path / "server.log").read_text()

    assert states == dict.fromkeys(states, "Completed")
    assert "/set_state" in log
    assert ASKS not in log
