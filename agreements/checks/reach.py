"""Calculate the most points that a lead can get. Criteria that exclude each other are not added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from agreements.criteria import Condition
from agreements.model import Agreement, EngagementCriterion, FitCriterion
from agreements.overlap import can_both_hold

#: Up to this many criteria that exclude one another are tried in all combinations.
_TRIED = 16
#: If there are more criteria than this, all are added up.
_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Reach:
    """The fewest and the most points for fit, engagement and the total, which is limited to 0 to 100."""

    fit: tuple[float, float]
    engagement: tuple[float, float]

    @property
    def total(self) -> tuple[float, float]:
        """The fewest and the most points of both together."""
        return max(0, self.fit[0] + self.engagement[0]), min(100, max(0, self.fit[1] + self.engagement[1]))


def reach(agreement: Agreement, given: Condition = Condition()) -> Reach:
    """Return the points within reach of leads that meet the given condition."""
    rules = agreement.qualification
    possible = [(rule.points, asked) for rule in rules.fit if (asked := _asked(agreement, rule, given)) is not None]
    least = sum(points for points, _ in possible if points < 0)
    engagement = [_most_of(rule) for rule in rules.engagement]
    return Reach(
        fit=(least, _most([one for one in possible if one[0] > 0])),
        engagement=(sum(one for one in engagement if one < 0), sum(one for one in engagement if one > 0)),
    )


def _asked(agreement: Agreement, rule: FitCriterion, given: Condition) -> Condition | None:
    """Return the rule's condition together with the given one; None if no lead can meet both."""
    matches = {persona.name: persona.match for persona in agreement.personas}
    condition = matches.get(rule.persona, Condition()) if rule.persona else rule.when or Condition()
    return Condition((*condition.tests, *given.tests)) if can_both_hold(condition, given) else None


def _most_of(rule: EngagementCriterion) -> float:
    if not rule.activity:
        return rule.points
    limit = inf if rule.at_most is None else rule.at_most
    return limit if rule.points > 0 else -limit if rule.points < 0 else 0


def _most(criteria: Sequence[tuple[int, Condition]]) -> float:
    """Return the most points of criteria that can hold together, compared in pairs."""
    if len(criteria) > _COMPARED:
        return sum(points for points, _ in criteria)
    asked = [condition for _, condition in criteria]
    against = [frozenset(number for number, other in enumerate(asked) if not can_both_hold(one, other)) for one in asked]
    left, total = set(range(len(criteria))), 0.0
    while left:
        group = _group(min(left), against)
        left -= group
        total += _best(group, against, [points for points, _ in criteria])
    return total


def _group(start: int, against: Sequence[frozenset[int]]) -> frozenset[int]:
    """Return start, the criteria that exclude it, the criteria that exclude those, and so on."""
    group, edge = {start}, {start}
    while edge:
        edge = {other for one in edge for other in against[one]} - group
        group |= edge
    return frozenset(group)


def _best(group: frozenset[int], against: Sequence[frozenset[int]], points: Sequence[int]) -> float:
    if len(group) > _TRIED:
        return _at_most(group, against, points)

    @cache
    def best(left: frozenset[int]) -> int:
        if not left:
            return 0
        one, *_ = left
        rest = left - {one}
        return max(best(rest), points[one] + best(rest - against[one]))

    return best(group)


def _at_most(group: frozenset[int], against: Sequence[frozenset[int]], points: Sequence[int]) -> float:
    """Return an upper bound of the best: of criteria that all exclude each other, only the highest counts."""
    left, total = sorted(group, key=lambda one: -points[one]), 0
    while left:
        first, *others = left
        circle = [first]
        for other in others:
            if all(other in against[one] for one in circle):
                circle.append(other)
        total += points[first]
        left = [one for one in left if one not in circle]
    return total
