"""f: a burst of leads within a minute, some of them hot: how soon the reps of hot leads get a message while the others queue."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.figures import spread
from benchmarks.measures.first_message import seconds_to_first_message
from benchmarks.pace import paced
from benchmarks.people import BY_POINTS, capture
from benchmarks.progress import track
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand


def measure(stand: Stand, sizes: Sizes) -> dict[str, Any]:
    """Measure the seconds from just before a hot inquiry is stored to the first message about it. End when all of these are out."""
    hot: dict[int, float] = {}
    others: dict[int, float] = {}
    each = sizes.burst // sizes.burst_hot
    numbers = paced(sizes.burst, every=sizes.burst_within_seconds / sizes.burst)
    began = time.monotonic()
    for number in track(numbers, total=sizes.burst, description="a burst of leads", console=stand.console):
        at = time.monotonic()
        if number % each == 0:
            hot[capture(stand.box).handoff_id] = at
        else:
            others[capture(stand.box, activity=BY_POINTS).handoff_id] = at
    took = time.monotonic() - began
    until = time.monotonic() + sizes.hot_wait_seconds
    while len(told := seconds_to_first_message(stand, hot)) < len(hot) and time.monotonic() < until:
        time.sleep(1)
    return {
        "leads": sizes.burst,
        "hot": len(hot),
        "captured_in_seconds": took,
        "never_told_hot": len(hot) - len(told),
        "hot_seconds": spread(list(told.values())),
        "others_told_meanwhile": len(seconds_to_first_message(stand, others)),
    }
