"""How long tests wait for what must come: a bound that only keeps them from hanging, never a promise about speed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from storage import database

T = TypeVar("T")
#: Longer than anything takes on a machine that does much else besides; less than the time limit of a test.
PATIENCE_SECONDS = 240


def wait_for_locks() -> None:
    """Lets this process wait for SQLite's write lock for as long as tests wait for anything: a slow disk is no fault."""
    assert hasattr(database, "BUSY_TIMEOUT_SECONDS")
    database.BUSY_TIMEOUT_SECONDS = PATIENCE_SECONDS


def until(ask: Callable[[], T], *, every_seconds: float = 0.01, or_else: Callable[[], object] = lambda: "") -> T:
    """Asks again and again until the answer is yes. Fails, and says or_else(), where it is still no when patience has run out."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not (found := ask()):
        assert time.monotonic() < end, f"still no after {PATIENCE_SECONDS} s\n{or_else()}"
        time.sleep(every_seconds)
    return found
