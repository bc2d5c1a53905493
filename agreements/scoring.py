"""The points that one criterion gives for one value, for one lead or for a million.

All sums are of whole millionths of a point. So the order of adding does not matter, and a lead gets the same points
in every place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from agreements.model import EngagementCriterion

#: How many parts make one point in sums.
PARTS = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def decay(rule: EngagementCriterion) -> Callable[[int], int]:
    """Return a function from an activity's age in microseconds to the parts of a point that it still gives, halved each half life."""
    parts = rule.points * PARTS
    life = rule.half_life.length // _MICROSECOND if rule.half_life else 0
    return (lambda age: round(parts * 0.5 ** (age / life))) if life else (lambda age: parts)


def whole_points(rule: EngagementCriterion, parts: int) -> int:
    """Return the points for so many parts, limited by `at_most` in both directions. A half is rounded up."""
    points = (parts + PARTS // 2) // PARTS
    return points if rule.at_most is None else max(-rule.at_most, min(rule.at_most, points))


def points_in_proportion(points: int, out_of: float, score: Any) -> int:
    """Return the share of these points that an external score earns: all of them for `out_of`, none for 0 or unknown."""
    if isinstance(score, (bool, str)) or score is None:
        return 0
    share = max(0.0, min(1.0, score / out_of))
    return int((round(points * share * PARTS) + PARTS // 2) // PARTS)


def is_there(value: Any) -> bool:
    """Whether a requirement such as `budget` is met: its value is known and is not a no."""
    return not (value is None or value is False or str(value).strip().casefold() in ("", "no", "none", "n", "false", "0", "unknown"))


def on_path(path: str, wanted: str) -> bool:
    """Whether a page lies at or under the wanted path. Every page does if no path is wanted."""
    return not wanted or path == wanted or path.startswith(wanted.rstrip("/") + "/")


def is_done(rule: EngagementCriterion, kind: str, path: str) -> bool:
    """Whether the rule gives points for an activity of this kind on this page."""
    return kind == rule.activity and on_path(path, rule.path)
