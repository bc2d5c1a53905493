"""c: from inquiry to the first message that reaches the rep, at one lead a second."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.figures import spread
from benchmarks.pace import paced
from benchmarks.people import capture
from benchmarks.progress import track
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand

#: How long the benchmark waits for the message after the last inquiry, in seconds.
PATIENCE_SECONDS = 90


def measure(stand: Stand, sizes: Sizes) -> dict[str, Any]:
    """Measure the seconds from just before the inquiry is stored until a mail or chat message is received."""
    captured: dict[int, float] = {}
    numbers = paced(sizes.first_messages, every=1)
    for _ in track(numbers, total=sizes.first_messages, description="one lead a second", console=stand.console):
        at = time.monotonic()
        captured[capture(stand.box).handoff_id] = at
    waited_until = time.monotonic() + PATIENCE_SECONDS
    while len(told := seconds_to_first_message(stand, captured)) < len(captured) and time.monotonic() < waited_until:
        time.sleep(0.5)
    return {"leads": len(captured), "never_told": len(captured) - len(told), "seconds": spread(list(told.values()))}


def seconds_to_first_message(stand: Stand, captured: dict[int, float]) -> dict[int, float]:
    """Return how long after its inquiry the first rep of each lead got a message, for leads where that has happened."""
    arrived, found = stand.receivers.first_told(), dict[int, float]()
    for assignment_id, handoff_id in stand.onlooker.assignments_of(captured).items():
        if assignment_id in arrived:
            seconds = arrived[assignment_id] - captured[handoff_id]
            found[handoff_id] = min(seconds, found.get(handoff_id, seconds))
    return found
