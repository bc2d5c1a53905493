"""What happens when a clock is missed: one rung after another, until one changes the stage."""

from __future__ import annotations

from collections.abc import Sequence

from agreements.model import Rung


def next_rung(ladder: Sequence[Rung], climbed: Sequence[int], *, without: frozenset[str] = frozenset()) -> int | None:
    """The index of the rung that comes next, None when all are used up.

    climbed: indices of the rungs taken so far, in order; a rung is taken at most as often as it says, and none is gone back to.
    without: what is not done any more, `reassign` when the clock's total time is used up.
    """
    lowest = climbed[-1] if climbed else 0
    usable = (index for index in range(lowest, len(ladder)) if climbed.count(index) < ladder[index].at_most)
    return next((index for index in usable if ladder[index].do not in without), None)


def ends(ladder: Sequence[Rung]) -> bool:
    """Whether the ladder ends in a change of stage, so that no lead can be stranded on it."""
    return bool(ladder) and ladder[-1].ends
