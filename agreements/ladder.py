"""What happens after a missed clock: one rung after another, until one changes the stage."""

from __future__ import annotations

from collections.abc import Sequence

from agreements.clauses.clocks import Action
from agreements.model import Rung


def next_rung(ladder: Sequence[Rung], climbed: Sequence[int], *, without: frozenset[Action] = frozenset()) -> int | None:
    """Return the index of the next rung, None when all are used up.

    climbed: indices of the rungs taken so far, in order. A rung is taken at most `at_most` times, and the order never goes back.
    without: rungs to skip, such as `reassign` when the clock's total time is used up.
    """
    lowest = climbed[-1] if climbed else 0
    usable = (index for index in range(lowest, len(ladder)) if climbed.count(index) < ladder[index].at_most)
    return next((index for index in usable if ladder[index].do not in without), None)


def ends(ladder: Sequence[Rung]) -> bool:
    """Whether the ladder ends in a change of stage, so that it cannot strand a lead."""
    return bool(ladder) and ladder[-1].ends
