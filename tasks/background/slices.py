"""Slices: much work done in many short transactions, so that nobody else waits long for the database."""

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
    """Does the work for all of these in their order, so many in a transaction; the sum of what the work returns."""
    done = 0
    for start in range(0, len(items), at_once):
        few = items[start : start + at_once]
        done += await box.write(lambda session, now, few=few: work(session, now, few))  # type: ignore[misc]
    return done
