"""Whether the threshold is too low: leads just above it are not worth a rep's time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agreements.review.chance import interval
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import FEW, Share

#: The band of points just above the threshold that is judged as one, and the most by which a proposal raises the threshold.
BAND, MOST_RAISED = 10, 20
#: Leads of the band must be won clearly less often than this part of the leads above it.
PART = 0.4


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The leads that points alone decide about and that have at least so many: all, and the won ones of those with a known outcome."""

    leads: int
    won: Share


def better_threshold(curve: Sequence[AtLeast], threshold: int, *, agreed: float | None) -> Proposal | None:
    """Return a proposal to raise the threshold, None where nothing speaks for it.

    curve: for each number of points from 0 to 100. agreed: the agreed share of MQLs that become opportunities, 0 to 1; None for none.
    """
    raised = threshold
    while raised < threshold + MOST_RAISED and _is_too_low(curve, raised, agreed):
        raised += BAND
    if raised == threshold:
        return None
    low, above = _between(curve, threshold, raised), curve[raised].won
    part = interval(low.count, of=low.of) or (0.0, 1.0)
    grounds = [
        f"Of the leads with {threshold} to {raised - 1} points, {shown(low)} became opportunities;"
        f" allowing for chance, at most {100 * part[1]:.1f} %.",
        f"Of the leads with {raised} points and more, {shown(above)} did.",
    ]
    if agreed is not None:
        grounds.append(f"The agreement promises that {100 * agreed:.0f} % of the MQLs become opportunities.")
    return Proposal(
        kind="threshold",
        subject="total",
        what=f"Raise the threshold from {threshold} to {raised} points: leads just above it seldom become opportunities.",
        grounds=tuple(grounds),
        leads=curve[threshold].leads - curve[raised].leads,
        changes=(Change(path=("qualification", "mql", "total"), value=raised),),
    )


def _is_too_low(curve: Sequence[AtLeast], threshold: int, agreed: float | None) -> bool:
    """Return whether the band above is clearly worse than 0.4 times what is above it, and clearly below what is agreed."""
    end = threshold + BAND
    if end >= len(curve):
        return False
    low, above = _between(curve, threshold, end), curve[end].won
    of_low, of_above = interval(low.count, of=low.of), interval(above.count, of=above.of)
    if of_low is None or of_above is None or low.of < FEW or above.of < FEW:
        return False
    return of_low[1] < PART * of_above[0] and (agreed is None or of_low[1] < agreed)


def _between(curve: Sequence[AtLeast], low: int, high: int) -> Share:
    return Share(count=curve[low].won.count - curve[high].won.count, of=curve[low].won.of - curve[high].won.of)
