"""The logistic regression of wins on points: the likeliest coefficients, and how much better one explanation fits than a simpler one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p, sqrt

from agreements.review.share import Share

#: Beyond this the logistic curve is flat to the last digit.
_FLAT = 30.0
_ROUNDS = 50
#: How strongly coefficients are held back: hardly, and enough for an answer where wins follow the points without exception.
_HELD = 0.02
#: The end of the search, and below what a derivative counts as none.
_SAME, _OPEN = 1e-9, 1e-12

Matrix = list[list[float]]
#: The values of some leads, the first always 1, and how many of these leads were won.
Rows = Sequence[tuple[Sequence[float], Share]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The likeliest coefficients, and the log of their likelihood."""

    at: Sequence[float]
    likelihood: float

    def clearer_than(self, other: Fitted) -> float:
        """Return by how many standard errors this fits better than one with a coefficient less (the theorem of S. S. Wilks, 1938)."""
        return sqrt(max(0.0, 2 * (self.likelihood - other.likelihood)))


def fit(rows: Rows) -> Fitted | None:
    """Return the logistic regression of wins on these values, by Newton's steps; None where they cannot tell."""
    if not rows:
        return None
    at = [0.0] * len(rows[0][0])
    now = _likelihood(rows, at)
    for _ in range(_ROUNDS):
        step = _solved(*_derivatives(rows, at))
        if step is None:
            return None
        new = _better(rows, at, step, than=now)
        if new is None or new.likelihood - now < _SAME:
            return Fitted(at, now)
        at, now = list(new.at), new.likelihood
    return None


def _better(rows: Rows, at: Sequence[float], step: Sequence[float], *, than: float) -> Fitted | None:
    """Return the end of the step, or of the largest half of a half of it that is likelier; None where none is."""
    for halves in range(12):
        new = [was + by / 2**halves for was, by in zip(at, step, strict=True)]
        if (likelihood := _likelihood(rows, new)) > than:
            return Fitted(new, likelihood)
    return None


def _line(values: Sequence[float], at: Sequence[float]) -> float:
    return max(-_FLAT, min(_FLAT, sum(weight * value for weight, value in zip(at, values, strict=True))))


def _likelihood(rows: Rows, at: Sequence[float]) -> float:
    held = -_HELD / 2 * sum(weight * weight for weight in at[1:])
    return held + sum(won.count * (line := _line(values, at)) - won.of * log1p(exp(line)) for values, won in rows)


def _derivatives(rows: Rows, at: Sequence[float]) -> tuple[Matrix, list[float]]:
    """Return the second derivatives of the log of the likelihood with their sign changed, and the first ones."""
    size = len(at)
    slope = [0.0, *(-_HELD * weight for weight in at[1:])]
    curve = [[_HELD if row == column and row else 0.0 for column in range(size)] for row in range(size)]
    for values, won in rows:
        chance = 1 / (1 + exp(-_line(values, at)))
        spread = won.of * chance * (1 - chance)
        for row in range(size):
            slope[row] += values[row] * (won.count - won.of * chance)
            for column in range(size):
                curve[row][column] += values[row] * values[column] * spread
    return curve, slope


def _solved(curve: Matrix, slope: Sequence[float]) -> list[float] | None:
    """Return the step that these derivatives call for, None where they leave it open."""
    rows = [[*line, value] for line, value in zip(curve, slope, strict=True)]
    for at in range(len(rows)):  # the matrix is positive, so no rows need to change places
        if rows[at][at] < _OPEN:
            return None
        for row in range(len(rows)):
            if row != at:
                by = rows[row][at] / rows[at][at]
                rows[row] = [value - by * own for value, own in zip(rows[row], rows[at], strict=True)]
    return [line[-1] / line[at] for at, line in enumerate(rows)]
