"""What chance leaves of a figure: the range of a share, whether a share grew, and how much points are worth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import copysign, sqrt
from statistics import NormalDist

from agreements.review.regression import fit
from agreements.review.share import Share

_Z = 1.959964


def interval(count: int, *, of: int) -> tuple[float, float] | None:
    """Return the range of a share that chance leaves, 0 to 1, with 95 % certainty; None for a share of nothing.

    Source: the score interval of E. B. Wilson (1927), which holds for few leads and for shares near 0 and 1.
    """
    if not of:
        return None
    part = count / of
    middle = part + _Z * _Z / (2 * of)
    spread = _Z * sqrt(part * (1 - part) / of + _Z * _Z / (4 * of * of))
    whole = 1 + _Z * _Z / of
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def grew(now: Share, before: Share, *, chance: float) -> bool:
    """Return whether the share grew by more than chance explains. chance: how often this may be wrong where nothing grew, 0 to 1."""
    if not now.of or not before.of:
        return False
    together = (now.count + before.count) / (now.of + before.of)
    spread = sqrt(together * (1 - together) * (1 / now.of + 1 / before.of))
    return spread > 0 and (now.count / now.of - before.count / before.of) / spread > NormalDist().inv_cdf(1 - chance)


@dataclass(frozen=True, slots=True)
class Cell:
    """Leads with the same points: what the criterion gave, what the rest of the rules gave, and how many of the decided ones were won."""

    rest: int
    given: int
    won: Share


@dataclass(frozen=True, slots=True)
class Worth:
    """How much ten points raise the log of the odds of a win: ten of the rest, and ten of the criterion.

    others, less, some: how clear it is that the rest matters, that the criterion is worth less than the asked part of the rest, and that it
    is worth anything; in standard errors, negative where the contrary is so.
    """

    rest: float
    given: float
    others: float
    less: float
    some: float


def worth(cells: Iterable[Cell], *, part: float) -> Worth | None:
    """Return what the points are worth, by a logistic regression of wins on both; None where these leads cannot tell.

    Leads are chosen by their points. A regression on the points themselves stays right under this choice, where a plain comparison of
    leads with and without the criterion would not. How clear it is says the ratio of likelihoods: errors of the coefficients say nothing
    where wins follow the points without exception.
    """
    known = [one for one in cells if one.won.of]
    both = fit([((1.0, one.rest / 10, one.given / 10), one.won) for one in known])
    as_claimed = fit([((1.0, (one.rest + part * one.given) / 10), one.won) for one in known])
    rest_only = fit([((1.0, one.rest / 10), one.won) for one in known])
    given_only = fit([((1.0, one.given / 10), one.won) for one in known])
    if both is None or as_claimed is None or rest_only is None or given_only is None:
        return None
    _, rest, given = both.at
    return Worth(
        rest=rest,
        given=given,
        others=copysign(both.clearer_than(given_only), rest),
        less=copysign(both.clearer_than(as_claimed), part * rest - given),
        some=copysign(both.clearer_than(rest_only), given),
    )
