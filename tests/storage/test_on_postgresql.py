"""Storage, steps and the main story once more, on PostgreSQL: the same code, the same tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SUITES = ["tests/storage", "tests/tasks", "tests/fundamentals"]
WORKERS = ["-n", "auto", "--maxprocesses", "4"]
TAIL_LINES = 80


@pytest.mark.long
@pytest.mark.live
@pytest.mark.timeout(3600)
def test_storage_tasks_and_fundamentals_hold_on_postgresql(postgresql_server: str) -> None:
    """Everything that holds on SQLite holds there."""
    environment = {**os.environ, "BATON_TEST_POSTGRESQL": postgresql_server}
    command = [sys.executable, "-m", "pytest", *SUITES, "-m", "not long", "-q", "-p", "no:cacheprovider", *WORKERS]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3500, check=False)

    tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
    assert done.returncode == 0, f"it ended with {done.returncode}:\n{tail}"
