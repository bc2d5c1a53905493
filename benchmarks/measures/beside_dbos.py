"""a, compared with DBOS: a workflow with the same number of steps, one wait and one answer, on the same PostgreSQL. Needs DBOS."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.databases import databases
from benchmarks.meter import Meter
from benchmarks.postgresql import Cluster
from benchmarks.sizes import Sizes

PROGRAM = Path(__file__).with_name("dbos_lead.py")
PATIENCE_SECONDS = 900


def python_with_dbos(named: str = "") -> str:
    """Return the Python that has DBOS: the named one, or else this one. Empty where DBOS is missing."""
    return named or (sys.executable if find_spec("dbos") else "")


def measure(console: Console, cluster: Cluster | None, sizes: Sizes, *, python: str) -> dict[str, Any]:
    """Return the program's output and the database's processor time, or only `skipped` with the reason why nothing was measured."""
    if not python:
        return {"skipped": "DBOS is not installed; the extra `bench` brings it"}
    if cluster is None:
        return {"skipped": "DBOS is compared on PostgreSQL, which is not used in this run"}
    with ExitStack() as ending:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        kept = ending.enter_context(databases(folder, cluster))
        meter = ending.enter_context(Meter({}, kept, folder / "no-log"))
        ending.enter_context(console.status("leads as DBOS workflows"))
        before = meter.read()
        command = [python, "-P", str(PROGRAM), kept.baton_url(), str(sizes.dbos_leads), str(sizes.at_once)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS, cwd=folder)
        spent = meter.since(before)
    if done.returncode:
        return {"error": done.stderr[-2000:]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {**found, "database_cpu_s_per_lead": spent.cpu.get("database: Baton", 0.0) / found["leads"]}
