"""Storage, steps and the main story once more, on PostgreSQL: the same code, the same tests."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

SUITES = ["tests/storage", "tests/tasks", "tests/fundamentals"]
#: Many and long stories of leads, which ask little of a database that the other suites do not ask. `make nightly` tries them here too.
AT_NIGHT = [
    "tests/tasks/messages",
    "tests/tasks/steps",
    "tests/tasks/test_conservation.py",
    "tests/tasks/test_opting_out.py",
    "tests/tasks/test_where_time_went.py",
    "tests/tasks/wiring",
]
WORKERS = ["-n", str(min(4, (os.cpu_count() or 1) + 1))]
TAIL_LINES = 80


@pytest.mark.long
@pytest.mark.live
@pytest.mark.timeout(3600)
def test_storage_tasks_and_fundamentals_hold_on_postgresql(postgresql_server: str) -> None:
    """What holds on SQLite holds there."""
    environment = {**os.environ, "BATON_TEST_POSTGRESQL": postgresql_server}
    left_out = [] if os.environ.get("BATON_POSTGRESQL") == "all" else [f"--ignore={place}" for place in AT_NIGHT]
    command = [sys.executable, "-m", "pytest", *SUITES, *left_out, "-m", "not long", "-q", "-p", "no:cacheprovider", *WORKERS]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=3500, check=False)

    tail = "\n".join((done.stdout + done.stderr).splitlines()[-TAIL_LINES:])
    assert done.returncode == 0, f"it ended with {done.returncode}:\n{tail}"
