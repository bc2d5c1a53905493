"""How many examples a property test tries: a few in `make test`, all in `make test-examples`, which `make test-long` runs."""

from __future__ import annotations

import os

#: Enough to find a fault that every second example shows. The full number finds rarer faults.
A_FEW = 25


def examples(full: int = 100) -> int:
    """Return the number for `max_examples`: the full number if BATON_EXAMPLES is `all`, otherwise at most A_FEW."""
    return full if os.environ.get("BATON_EXAMPLES") == "all" else min(full, A_FEW)
