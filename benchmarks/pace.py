"""Pace: doing something again and again at a steady rate, and looking in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator


def paced(count: int, *, every: float, meanwhile: Callable[[], object] = lambda: None, look_every: float = 0.05) -> Iterator[int]:
    """Counts from 0, one number each `every` seconds. meanwhile: is called again and again in between.

    A turn that takes too long delays only itself: the later ones come at their own times, or at once where those have passed.
    """
    start = time.monotonic()
    for number in range(count):
        while (left := start + number * every - time.monotonic()) > 0:
            meanwhile()
            time.sleep(min(left, look_every))
        yield number
