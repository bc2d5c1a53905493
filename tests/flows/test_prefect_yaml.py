"""The timetable is one that a Prefect server takes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.responses import DeploymentResponse

from app import stack
from tests.patience import PATIENCE_SECONDS
from tests.prefect_server import prefect_server

pytestmark = [pytest.mark.long, pytest.mark.live]

ROOT = Path(__file__).resolve().parents[2]
MAKE_POOL = "import asyncio; from app.worker import ensure_pool; asyncio.run(ensure_pool('baton'))"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Mapping[str, str]]:
    """The environment in which clients talk to a Prefect server of its own."""
    with prefect_server(tmp_path) as environment:
        yield environment


def run(environment: Mapping[str, str], *words: str) -> str:
    """The output of a command, which must succeed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=dict(environment), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def deployments() -> list[DeploymentResponse]:
    async with get_client() as client:
        return await client.read_deployments()


def test_prefect_deploy_all_accepts_it_twice(server: Mapping[str, str]) -> None:
    """The CRM is read every five minutes, reviews are looked for each quarter of an hour, and the other flows run daily. All run in
    the pool of Baton's worker, and deploying again changes nothing."""
    run(server, "-c", MAKE_POOL)
    for _ in range(2):
        run(server, "-m", "prefect", "--no-prompt", "deploy", "--all")

    with stack.talking_to(server["PREFECT_API_URL"].removesuffix("/api"), server["PREFECT_API_AUTH_STRING"]):
        found = sorted((one.model_dump(mode="json") for one in asyncio.run(deployments())), key=lambda one: one["name"])
    assert [(one["name"], one["entrypoint"], one["work_pool_name"], one["pull_steps"]) for one in found] == [
        ("daily", "flows.retention.retention", "baton", []),
        ("each-morning", "flows.likely_twins.likely_twins", "baton", []),
        ("each-night", "flows.crm_comparison.crm_comparison", "baton", []),
        ("each-quarter-of-an-hour", "app.review.flow.review", "baton", []),
        ("every-five-minutes", "flows.opportunity_sync.opportunity_sync", "baton", []),
    ]
    assert [one["schedule"]["cron"] for one in found[0]["schedules"]] == ["17 3 * * *"]
    assert [one["schedule"]["cron"] for one in found[1]["schedules"]] == ["47 4 * * *"]
    assert [one["schedule"]["cron"] for one in found[2]["schedules"]] == ["23 2 * * *"]
    assert [one["schedule"]["cron"] for one in found[3]["schedules"]] == ["*/15 * * * *"]
    assert [one["schedule"]["interval"] for one in found[4]["schedules"]] == [300.0]


def test_its_entry_points_are_flows_that_the_worker_knows() -> None:
    """The worker finds a flow by its name, not by its entry point."""
    from importlib import import_module

    from ruamel.yaml import YAML

    from app.lean_flows import FLOWS

    wanted = YAML(typ="safe", pure=True).load(ROOT / "prefect.yaml")["deployments"]
    for one in wanted:
        module, _, name = one["entrypoint"].rpartition(".")
        assert getattr(import_module(module), name).name in FLOWS
