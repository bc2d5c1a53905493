"""How long tests wait for an expected event: the limit only keeps them from hanging. It promises nothing about speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from storage import database

T = TypeVar("T")
#: Longer than anything takes on a busy machine, and shorter than the time limit of a test.
PATIENCE_SECONDS = 240


def wait_for_locks() -> None:
    """Let this process wait for SQLite's write lock as long as tests wait for anything: a slow disk must not fail a test."""
    assert hasattr(database, "BUSY_TIMEOUT_SECONDS")
    database.BUSY_TIMEOUT_SECONDS = PATIENCE_SECONDS


def until(ask: Callable[[], T | None], *, every_seconds: float = 0.01, or_else: Callable[[], object] = lambda: "") -> T:
    """Ask repeatedly until the answer is true. After the time limit, fail with the message of or_else()."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < end, f"still no after {PATIENCE_SECONDS} s\n{or_else()}"
        time.sleep(every_seconds)
    return found
