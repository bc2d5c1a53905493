"""g: what an installation uses while nothing happens and many leads wait."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.meter import NOT_COUNTED, counted
from benchmarks.progress import track
from benchmarks.stand import Stand

#: From the last change until the measure begins, in seconds, so that leftover work is done by then.
SETTLE_SECONDS = 10
#: How often memory is read, in seconds.
LOOK_SECONDS = 60


def measure(stand: Stand, *, waiting: int, seconds: float) -> dict[str, Any]:
    """Measure by process: percent of one core over this many seconds, and memory in bytes, each minute and at the end."""
    time.sleep(SETTLE_SECONDS)
    by_minute: list[int] = []
    with stand.meter() as meter:
        before = meter.read()
        for second in track(range(int(seconds)), total=int(seconds), description=f"idle with {waiting:,} waiting", console=stand.console):
            if second % LOOK_SECONDS == 0:
                by_minute.append(_used(meter.memory()))
            time.sleep(1)
        spent, memory = meter.since(before), meter.memory()
    percent = {name: 100 * value / spent.seconds for name, value in spent.cpu.items()}
    return {
        "waiting": waiting,
        "seconds": spent.seconds,
        "core_percent": counted(percent) if percent else None,
        "core_percent_by_process": percent,
        "memory_bytes": _used(memory),
        "memory_bytes_by_minute": [*by_minute, _used(memory)],
        "memory_bytes_by_process": memory,
        "statements_a_second": spent.asked["statements"] / spent.seconds if spent.asked else None,
        "prefect_calls_a_second": spent.calls.total() / spent.seconds,
    }


def _used(memory: Mapping[str, int]) -> int:
    return sum(value for name, value in memory.items() if name not in NOT_COUNTED)
