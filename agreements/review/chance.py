"""What chance leaves of a figure: the range of a share, whether a share grew, and how much points are worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from statistics import NormalDist

from agreements.review.share import Share

_Z = 1.959964
#: Beyond this the logistic curve is flat to the last digit.
_FLAT = 30.0
_ROUNDS = 50

Matrix = list[list[float]]


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
    """How much ten points raise the log of the odds of a win: ten of the rest, and ten of the criterion. spreads: their variances and
    the covariance."""

    rest: float
    given: float
    spreads: tuple[float, float, float]

    def apart(self, *, part: float) -> float:
        """Return by how many standard errors the criterion's points are worth less than this part of what the others are worth."""
        of_rest, of_given, both = self.spreads
        spread = part * part * of_rest + of_given - 2 * part * both
        return (part * self.rest - self.given) / sqrt(spread) if spread > 0 else 0.0


def worth(cells: Iterable[Cell]) -> Worth | None:
    """Return what the points are worth, by a logistic regression of wins on both; None where these leads cannot tell.

    Leads are chosen by their points. A regression on the points themselves stays right under this choice, where a plain comparison of
    leads with and without the criterion would not.
    """
    rows = [((1.0, one.rest / 10, one.given / 10), one.won) for one in cells if one.won.of]
    found = [0.0, 0.0, 0.0]
    for _ in range(_ROUNDS):
        slope, curve = _derivatives(rows, found)
        spreads = _inverse(curve)
        if spreads is None:
            return None
        step = [sum(spreads[row][at] * slope[at] for at in range(3)) for row in range(3)]
        found = [was + by for was, by in zip(found, step, strict=True)]
        if max(map(abs, step)) < 1e-8:
            return Worth(found[1], found[2], (spreads[1][1], spreads[2][2], spreads[1][2]))
    return None


def _derivatives(rows: Sequence[tuple[tuple[float, float, float], Share]], at: Sequence[float]) -> tuple[list[float], Matrix]:
    """Return the first and the second derivatives of the log of the likelihood, the second with its sign changed."""
    slope, curve = [0.0] * 3, [[0.0] * 3 for _ in range(3)]
    for values, won in rows:
        line = sum(weight * value for weight, value in zip(at, values, strict=True))
        chance = 1 / (1 + exp(-max(-_FLAT, min(_FLAT, line))))
        for row in range(3):
            slope[row] += values[row] * (won.count - won.of * chance)
            for column in range(3):
                curve[row][column] += values[row] * values[column] * won.of * chance * (1 - chance)
    return slope, curve


def _inverse(of: Matrix) -> Matrix | None:
    """Return the inverse of a matrix of three rows, None where it has none that can be trusted."""
    minors = [[_minor(of, row, column) * (-1) ** (row + column) for column in range(3)] for row in range(3)]
    whole = sum(of[0][column] * minors[0][column] for column in range(3))
    if whole <= 1e-9 * max(1e-9, of[0][0] * of[1][1] * of[2][2]):
        return None
    return [[minors[column][row] / whole for column in range(3)] for row in range(3)]


def _minor(of: Matrix, row: int, column: int) -> float:
    (a, b), (c, d) = ([value for at, value in enumerate(line) if at != column] for number, line in enumerate(of) if number != row)
    return a * d - b * c
