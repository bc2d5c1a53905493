"""Read a calendar in a process of its own, with limits of time and memory: no calendar can keep a worker busy.

`python -m tasks.feeds.reading` is that process. It gets one line of JSON and then the calendar, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime

from agreements.calendar.absence_feed import FeedUnreadable, Reading, read_absences
from agreements.calendar.instants import Span

#: Seconds of the processor and real seconds for one calendar, and bytes of memory.
CPU_SECONDS, REAL_SECONDS, MEMORY_BYTES = 20, 120, 1_000_000_000
_TOO_MUCH = FeedUnreadable("its calendar takes too long to calculate; delete events that are repeated for centuries, or publish fewer days")


def read_apart(raw: bytes, asked: Reading, *, cpu_seconds: int = CPU_SECONDS) -> list[Span]:
    """Return what `read_absences` returns, within the limits. Blocks: call off the event loop. Raises FeedUnreadable."""
    header = {"cpu": cpu_seconds, **asdict(asked), "first": asked.first.isoformat(), "last": asked.last.isoformat()}
    given = json.dumps(header).encode() + b"\n" + raw
    try:
        done = subprocess.run(
            [sys.executable, "-m", "tasks.feeds.reading"], input=given, capture_output=True, timeout=REAL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise _TOO_MUCH from None
    if done.returncode != 0:  # the limits end the process; its words could quote the calendar and are not read
        raise _TOO_MUCH
    said = json.loads(done.stdout)
    if "problem" in said:
        raise FeedUnreadable(said["problem"])
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in said["spans"]]


def _limit(cpu_seconds: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
    with suppress(ValueError, OSError):  # some systems have no limit of memory; the length of the calendar is limited in any case
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def main() -> None:
    """Read one calendar from the standard input and print its absences, or what is wrong with it."""
    told = json.loads(sys.stdin.buffer.readline())
    _limit(told.pop("cpu"))
    raw = sys.stdin.buffer.read()
    asked = Reading(**{**told, "first": datetime.fromisoformat(told["first"]), "last": datetime.fromisoformat(told["last"])})
    try:
        answer: dict[str, object] = {"spans": [(start.isoformat(), end.isoformat()) for start, end in read_absences(raw, asked)]}
    except FeedUnreadable as problem:
        answer = {"problem": str(problem)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
