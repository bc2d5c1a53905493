"""The meter: processor time, statements and calls that the parts of a stack use between two instants."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import access_log, processes
from benchmarks.databases import ONLOOKER, Databases
from benchmarks.processes import Process
from benchmarks.statements import Asked, asked

SAMPLE_SECONDS = 1.0
#: Processes that only a benchmark needs. They are shown and not counted.
NOT_COUNTED = ("benchmark", "receivers", "onlooker")
DATABASE = "database"


@dataclass(frozen=True, slots=True)
class Reading:
    """All counters at one instant. cpu: empty without /proc. log: length of Prefect's log in bytes."""

    at: float
    cpu: dict[str, float]
    asked: Asked | None
    log: int


@dataclass(frozen=True, slots=True)
class Spent:
    """The use between two readings. cpu: seconds of processor time by process. asked: statements and transactions by kind, empty
    where the database does not count them. calls: to Prefect's API by path."""

    seconds: float
    cpu: dict[str, float]
    asked: dict[str, int]
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def cpu_counted(self) -> float:
        """Return the processor time without processes that only the benchmark needs."""
        return counted(self.cpu)

    def per_lead(self, leads: int) -> dict[str, Any]:
        """Return the same figures for one lead."""
        by_process = {name: value / leads for name, value in self.cpu.items()}
        each = {name: value / leads for name, value in self.asked.items()}
        return {
            "cpu_s": counted(by_process) if by_process else None,
            "cpu_s_by_process": by_process,
            "transactions": each.get("begun"),
            "statements": each.get("statements"),
            **each,
            "prefect_calls": self.calls.total() / leads,
            "prefect_calls_by_path": {path: number / leads for path, number in self.calls.most_common()},
        }


def counted(cpu: Mapping[str, float]) -> float:
    """Return the sum over the processes of an installation."""
    return sum(value for name, value in cpu.items() if name not in NOT_COUNTED)


class Meter:
    """Reads what the named processes use. roots: the root process of each part, by name. log: of the Prefect server.

    While it is open, it samples PostgreSQL's backends, so that their time can be matched to the database they worked in.
    """

    def __init__(self, roots: Mapping[str, int], databases: Databases, log: Path) -> None:
        self.roots, self.databases, self.log = dict(roots), databases, log
        self._backends: dict[int, tuple[str, float]] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="meter", daemon=True)

    def __enter__(self) -> Meter:
        if self.databases.cluster:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def read(self) -> Reading:
        """Read all counters now."""
        found = processes.all_processes()
        cpu = {name: processes.seconds_of(processes.family(root, found), found) for name, root in self.roots.items()}
        cpu |= {"benchmark": time.process_time(), **self._postgresql(found)}
        log = self.log.stat().st_size if self.log.exists() else 0
        return Reading(time.monotonic(), cpu if found else {}, asked(self.databases), log)

    def since(self, before: Reading) -> Spent:
        """Return the use since that reading."""
        now = self.read()
        cpu = {name: max(0.0, value - before.cpu.get(name, 0.0)) for name, value in now.cpu.items()}
        asked_since = now.asked.since(before.asked) if now.asked and before.asked else {}
        return Spent(now.at - before.at, cpu, asked_since, access_log.read(self.log, before.log, now.log))

    def memory(self) -> dict[str, int]:
        """Return the memory by process now, in bytes."""
        found = processes.all_processes()
        used = {name: processes.memory_of(processes.family(root, found)) for name, root in self.roots.items()}
        used["benchmark"] = processes.memory_of([os.getpid()])
        if self.databases.cluster:
            used[DATABASE] = processes.memory_of(processes.family(self.databases.cluster.pid, found))
        return used

    def _postgresql(self, found: Mapping[int, Process]) -> dict[str, float]:
        """Return the database server's processor time by database. `database: rest` is its own work: writing, vacuum, checkpoints."""
        if self.databases.cluster is None:
            return {}
        self._look(found)
        whole = processes.seconds_of(processes.family(self.databases.cluster.pid, found), found)
        by: defaultdict[str, float] = defaultdict(float)
        for name, seconds in list(self._backends.values()):
            by[name] += seconds
        return {**by, f"{DATABASE}: rest": whole - sum(by.values())}

    def _look(self, found: Mapping[int, Process]) -> None:
        assert self.databases.cluster is not None, "only a PostgreSQL server has backends"
        baton, prefect = self.databases.names
        names = {baton: f"{DATABASE}: Baton", prefect: f"{DATABASE}: Prefect"}
        for pid in processes.family(self.databases.cluster.pid, found):
            client = processes.client_of(processes.title_of(pid))
            if client and client[1] in names:
                self._backends[pid] = ("onlooker" if client[0] == ONLOOKER else names[client[1]], found[pid].seconds)

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._look(processes.all_processes())
