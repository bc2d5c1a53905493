"""Slices: split much work into many short transactions, so that no other process waits long for the database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlmodel import Session

from storage.database import ROWS_AT_ONCE
from tasks.wiring.toolbox import Toolbox

T = TypeVar("T")


async def write_in_slices(
    box: Toolbox, items: Sequence[T], work: Callable[[Session, datetime, Sequence[T]], int], *, at_once: int = ROWS_AT_ONCE
) -> int:
    """Calls `work` for these items in order, `at_once` items in a transaction; returns the sum of its results."""
    done = 0
    for start in range(0, len(items), at_once):
        few = items[start : start + at_once]
        done += await box.write(lambda session, now, few=few: work(session, now, few))  # type: ignore[misc]
    return done
