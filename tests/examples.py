"""Which examples a property test tries.

`make test` tries a few, and `make test-examples` all. Both try the same examples each time, so that a change is never refused for a
fault that it did not bring. `make nightly` tries all, and other ones each night.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import pytest

#: Enough to find a fault that every second example shows. The full number finds rarer faults.
A_FEW = 25


def examples(full: int = 100, *, few: int = A_FEW) -> int:
    """Return the number for `max_examples`: the full number if BATON_EXAMPLES is `all` or `new`, otherwise at most `few`.

    few: less than A_FEW where each example takes long.
    """
    return full if tries_all() else min(full, few)


def tries_all() -> bool:
    """Return whether a search tries all of its examples: if BATON_EXAMPLES is `all` or `new`."""
    return os.environ.get("BATON_EXAMPLES") in ("all", "new")


def at_night(full: int, *, before_a_change: int) -> int:
    """Return the size of a test that takes minutes: the full size if BATON_STORM is set, as `make nightly` sets it."""
    return full if os.environ.get("BATON_STORM") else before_a_change


def only_at_night() -> pytest.MarkDecorator:
    """Return the mark of a case that only `make nightly` tries, with BATON_STORM."""
    return pytest.mark.skipif(not os.environ.get("BATON_STORM"), reason="minutes: make nightly does it")


def spread(cases: Sequence[Any], *, one_in: int) -> list[Any]:
    """Return the cases as parameters: `make test` tries one in so many of them, `make test-long` the others."""
    given = [one if isinstance(one, tuple) else (one,) for one in cases]
    return [pytest.param(*one, marks=[pytest.mark.long] if number % one_in else []) for number, one in enumerate(given)]


def same_each_time() -> bool:
    """Return whether a search tries the same examples each time: always, except if BATON_EXAMPLES is `new`."""
    return os.environ.get("BATON_EXAMPLES") != "new"
