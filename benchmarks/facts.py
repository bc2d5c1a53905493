"""Facts: the machine, versions and settings of a run."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.stack import PREFECT_SETTINGS
from benchmarks.databases import COUNTED
from benchmarks.ground import MONDAY, ROOT
from benchmarks.measures.clicks import SEED
from benchmarks.postgresql import Cluster, installed
from benchmarks.sizes import Sizes
from benchmarks.stand import SETTINGS, numbers_set
from benchmarks.statements import HOUSEKEEPING


def facts(sizes: Sizes, cluster: Cluster | None, *, quick: bool) -> dict[str, Any]:
    """Return machine, versions, settings and sizes of this run."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "cores": _cores(),
        "processor": _processor(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load_before": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            "postgresql": _postgresql() if cluster else "",
            **{name: _version(name) for name in ("prefect", "sqlalchemy", "psycopg", "asyncpg", "baton", "dbos")},
        },
        "revision": _revision(),
        "database": "PostgreSQL" if cluster else "SQLite",
        "settings": {**PREFECT_SETTINGS, **SETTINGS, **numbers_set(), "postgresql": COUNTED},
        "seeds": {"clicks": SEED, "monday": MONDAY.isoformat()},
        "how_counted": {
            "transactions_per_lead": (
                "transactions that did something, as the driver begins one with its first statement: commits, and rollbacks that end"
                " sessions which read; not the questions whether a pooled connection is alive"
            )
            if cluster
            else "not counted on SQLite",
            "statements_per_lead": f"in Baton's database, without {', '.join(HOUSEKEEPING)}" if cluster else "not counted on SQLite",
            "prefect_calls_per_lead": "requests in the Prefect server's access log",
            "cpu_s_per_lead": "from inquiry to opportunity: all parts and the database server, without the benchmark and its receivers",
        },
        "sizes": asdict(sizes),
    }


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor())


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _postgresql() -> str:
    programs = installed()
    told = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=False).stdout if programs else ""
    return told.split()[2] if len(told.split()) > 2 else ""


def _revision() -> str:
    told = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip()
