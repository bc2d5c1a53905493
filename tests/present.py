"""What a test expects to be there: a row, a match, an open wait."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")


def the(value: T | None) -> T:
    """Return the value. Fails if there is none."""
    assert value is not None
    return value
