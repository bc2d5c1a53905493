"""How many examples a search tries: a few in `make test`, all of them in `make test-examples`, which `make test-long` runs."""

from __future__ import annotations

import os

#: So many find what is wrong with every second example; a rarer fault is left to the full number.
A_FEW = 25


def examples(full: int = 100) -> int:
    """The number for `max_examples`: the full one where BATON_EXAMPLES is `all`, otherwise at most A_FEW."""
    return full if os.environ.get("BATON_EXAMPLES") == "all" else min(full, A_FEW)
