"""Points, for one lead and for a million: what a single criterion gives for a single value.

All sums are of whole millionths of a point, so that the order of adding does not matter and one lead gets the same points
wherever it is judged.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from agreements.model import EngagementCriterion

#: The parts into which a point is divided while points are summed.
PARTS = 1_000_000
_MICROSECOND = timedelta(microseconds=1)


def decay(rule: EngagementCriterion) -> Callable[[int], int]:
    """How many parts of a point one activity still gives at an age in microseconds: half after each half life."""
    parts = rule.points * PARTS
    life = rule.half_life.length // _MICROSECOND if rule.half_life else 0
    return (lambda age: round(parts * 0.5 ** (age / life))) if life else (lambda age: parts)


def whole_points(rule: EngagementCriterion, parts: int) -> int:
    """The points that so many parts come to, `at_most` being the most either way; a half is rounded up."""
    points = (parts + PARTS // 2) // PARTS
    return points if rule.at_most is None else max(-rule.at_most, min(rule.at_most, points))


def points_in_proportion(points: int, out_of: float, score: Any) -> int:
    """The share of these points that a score from somebody else earns: all of them for `out_of`, none for 0 or unknown."""
    if isinstance(score, (bool, str)) or score is None:
        return 0
    share = max(0.0, min(1.0, score / out_of))
    return int((round(points * share * PARTS) + PARTS // 2) // PARTS)


def is_there(value: Any) -> bool:
    """Whether a requirement such as `budget` is met: something is known of it, and it is not a no."""
    return not (value is None or value is False or str(value).strip().casefold() in ("", "no", "none", "n", "false", "0", "unknown"))


def on_path(path: str, wanted: str) -> bool:
    """Whether a page lies at or under the wanted path; every page does where none is asked for."""
    return not wanted or path == wanted or path.startswith(wanted.rstrip("/") + "/")


def is_done(rule: EngagementCriterion, kind: str, path: str) -> bool:
    """Whether an activity of this kind on this page is what the rule gives points for."""
    return kind == rule.activity and on_path(path, rule.path)
