"""Processes as Linux shows them in /proc: how much processor time and memory each part of the stack has used."""

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
    """One process. session: its session's id; seconds: processor time of itself and of its children that have ended."""

    pid: int
    parent: int
    session: int
    seconds: float


def read_stat(text: str, *, ticks_a_second: int = TICKS_A_SECOND) -> Process:
    """The process that a line of /proc/PID/stat tells of. Its name may hold blanks and brackets."""
    before, _, after = text.rpartition(")")
    fields = after.split()
    spent = sum(int(ticks) for ticks in fields[11:15])
    return Process(int(before.split(" ", 1)[0]), int(fields[1]), int(fields[3]), spent / ticks_a_second)


def all_processes() -> dict[int, Process]:
    """Every process of this machine by its pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended just now
            one = read_stat(path.read_text())
            found[one.pid] = one
    return found


def family(root: int, processes: Mapping[int, Process]) -> set[int]:
    """The process itself, its session, and all that descend from any of them."""
    members = {one.pid for one in processes.values() if one.session == root or one.pid == root}
    while more := {one.pid for one in processes.values() if one.parent in members} - members:
        members |= more
    return members


def seconds_of(members: Iterable[int], processes: Mapping[int, Process]) -> float:
    """The processor time of these processes together."""
    return sum(processes[pid].seconds for pid in members if pid in processes)


def memory_of(members: Iterable[int]) -> int:
    """Bytes of memory that these processes use; what several share is counted once between them."""
    total = 0
    for pid in members:
        with suppress(OSError):
            rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += 1024 * sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))
    return total


def client_of(title: str) -> tuple[str, str] | None:
    """User and database of a PostgreSQL backend by its title, None for the server's own processes."""
    found = _TITLE.match(title)
    return (found["user"], found["database"]) if found else None


def title_of(pid: int) -> str:
    """What the process calls itself, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""
