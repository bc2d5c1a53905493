"""Read from Linux's /proc how much processor time and memory each part of the stack has used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_TITLE = re.compile(r"^postgres: (?P<user>\S+) (?P<database>\S+) \S+\(\d+\)")


@dataclass(frozen=True, slots=True)
class Process:
    """One process. session: the id of its session. seconds: processor time of itself and of its children that have ended."""

    pid: int
    parent: int
    session: int
    seconds: float


def read_stat(text: str, *, ticks_a_second: int = TICKS_A_SECOND) -> Process:
    """Read a process from a line of /proc/PID/stat. Its name may hold blanks and brackets."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    spent = sum(int(ticks) for ticks in fields[11:15])
    return Process(int(before.split(" ", 1)[0]), int(fields[1]), int(fields[3]), spent / ticks_a_second)


def all_processes() -> dict[int, Process]:
    """Return every process of this machine by pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # the process has just ended
            one = read_stat(path.read_text())
            found[one.pid] = one
    return found


def family(root: int, processes: Mapping[int, Process]) -> set[int]:
    """Return the process itself, its session, and all their descendants."""
    members = {one.pid for one in processes.values() if one.session == root or one.pid == root}
    while more := {one.pid for one in processes.values() if one.parent in members} - members:
        members |= more
    return members


def seconds_of(members: Iterable[int], processes: Mapping[int, Process]) -> float:
    """Return the total processor time of these processes, in seconds."""
    return sum(processes[pid].seconds for pid in members if pid in processes)


def memory_of(members: Iterable[int]) -> int:
    """Return the memory that these processes use, in bytes. Shared memory counts once."""
    total = 0
    for pid in members:
        with suppress(OSError):
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += 1024 * sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total


def client_of(title: str) -> tuple[str, str] | None:
    """Read user and database from the title of a PostgreSQL backend. None for the server's own processes."""
    found = _TITLE.match(title)
    return (found["user"], found["database"]) if found else None


def title_of(pid: int) -> str:
    """Return the title of the process, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
