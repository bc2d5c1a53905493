"""The same flow on Prefect's own process pool: Baton's worker is a choice, not a need."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live import Live, live_stack

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """A stack whose own worker hands runs over only: the agreement is deployed to a stock pool."""
    with live_stack(tmp_path / "stock", stock_pool="stock") as running:
        worker = start_stock_worker(running, tmp_path / "stock-worker.log")
        try:
            yield running
        finally:
            end(worker)


def start_stock_worker(live: Live, log: Path) -> subprocess.Popen[bytes]:
    """Prefect's own worker, as its documentation starts it, and started again when it ends: docs/operations.md says why."""
    once = shlex.join([sys.executable, "-m", "prefect", "worker", "start", "--pool", "stock", "--type", "process", "--limit", "4"])
    command = ["sh", "-c", f"while true; do {once}; sleep 1; done"]
    with log.open("wb") as out:
        environment = dict(live.stack.environment)
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environment, cwd=log.parent, start_new_session=True)


def end(worker: subprocess.Popen[bytes]) -> None:
    """Ends Prefect's worker and all that it started: a worker that is asked to end waits for runs that are not worth waiting for."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def test_a_lead_goes_its_way_on_a_stock_process_pool(live: Live) -> None:
    """Assigned, parked under its name, answered by link, accepted: one process an attempt, the same story."""
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")

    live.answer(taken, "accepted")

    live.until_stage(taken, "accepted")
    live.until_parked(taken, "AwaitingFirstAttempt")
