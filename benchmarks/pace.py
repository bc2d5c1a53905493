"""Pace: repeat work at a steady rate, and call a function in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator


def paced(count: int, *, every: float, meanwhile: Callable[[], object] = lambda: None, look_every: float = 0.05) -> Iterator[int]:
    """Count from 0, one number every `every` seconds. meanwhile: called again and again in between.

    A slow turn does not shift the schedule: later turns come at their planned times, or at once where these have passed.
    """
    start = time.monotonic()
    for number in range(count):
        while (left := start + number * every - time.monotonic()) > 0:
            meanwhile()
            time.sleep(min(left, look_every))
        yield number
