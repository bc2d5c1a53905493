"""Which examples a property test tries.

`make test` tries a few, and `make test-examples` all. Both try the same examples each time, so that a change is never refused for a
fault that it did not bring. `make nightly` tries all, and other ones each night.
"""

from __future__ import annotations

import os

#: Enough to find a fault that every second example shows. The full number finds rarer faults.
A_FEW = 25


def examples(full: int = 100, *, few: int = A_FEW) -> int:
    """Return the number for `max_examples`: the full number if BATON_EXAMPLES is `all` or `new`, otherwise at most `few`.

    few: less than A_FEW where each example takes long.
    """
    return full if os.environ.get("BATON_EXAMPLES") in ("all", "new") else min(full, few)


def at_night(full: int, *, before_a_change: int) -> int:
    """Return the size of a test that takes minutes: the full size if BATON_STORM is set, as `make nightly` sets it."""
    return full if os.environ.get("BATON_STORM") else before_a_change


def same_each_time() -> bool:
    """Return whether a search tries the same examples each time: always, except if BATON_EXAMPLES is `new`."""
    return os.environ.get("BATON_EXAMPLES") != "new"
