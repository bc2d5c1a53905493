"""Which examples a property test tries.

`make test` tries a few, and `make test-examples` all. Both try the same examples each time, so that a change is never refused for a
fault that it did not bring. `make nightly` tries all, and other ones each night.
"""

from __future__ import annotations

import os

#: Enough to find a fault that every second example shows. The full number finds rarer faults.
A_FEW = 25


def examples(full: int = 100) -> int:
    """Return the number for `max_examples`: the full number if BATON_EXAMPLES is `all` or `new`, otherwise at most A_FEW."""
    return full if os.environ.get("BATON_EXAMPLES") in ("all", "new") else min(full, A_FEW)


def same_each_time() -> bool:
    """Return whether a search tries the same examples each time: always, except if BATON_EXAMPLES is `new`."""
    return os.environ.get("BATON_EXAMPLES") != "new"
