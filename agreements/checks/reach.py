"""How many points a lead can get at most, where criteria that exclude each other are not added up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from agreements.criteria import Condition, Test
from agreements.model import Agreement, EngagementCriterion, FitCriterion

#: Up to so many criteria that exclude one another are tried in all combinations.
_TRIED = 16


@dataclass(frozen=True, slots=True)
class Reach:
    """The least and the most points: fit and engagement by themselves, total held within 0 and 100."""

    fit: tuple[float, float]
    engagement: tuple[float, float]

    @property
    def total(self) -> tuple[float, float]:
        """Of both together."""
        return max(0, self.fit[0] + self.engagement[0]), min(100, max(0, self.fit[1] + self.engagement[1]))


def reach(agreement: Agreement, *given: Test) -> Reach:
    """What leads can reach of which all of this is given."""
    rules = agreement.qualification
    possible = [(rule.points, asked) for rule in rules.fit if (asked := _asked(agreement, rule, given)) is not None]
    least = sum(points for points, _ in possible if points < 0)
    engagement = [_most_of(rule) for rule in rules.engagement]
    return Reach(
        fit=(least, _most([one for one in possible if one[0] > 0])),
        engagement=(sum(one for one in engagement if one < 0), sum(one for one in engagement if one > 0)),
    )


def excludes(one: Test, other: Test) -> bool:
    """Whether no value of a fact can answer yes to both."""
    if one.field != other.field:
        return False
    for this, that in ((one, other), (other, one)):
        if this.operator in ("is", "in"):
            values = this.operand if isinstance(this.operand, tuple) else (this.operand,)
            return not any(that.answers(value) for value in values)
        if this.operator == "word" and this.operand == "missing":
            return not that.answers(None)
    kinds = {(test.operator, test.operand) for test in (one, other) if test.operator == "word"}
    if ("word", "company") in kinds and kinds & {("word", "free"), ("word", "disposable")}:
        return True
    limits = {test.operator: test.operand for test in (one, other)}
    return set(limits) == {"at_least", "at_most"} and bool(limits["at_least"] > limits["at_most"])


def contradicts(tests: Sequence[Test]) -> bool:
    """Whether no lead can answer yes to all of these."""
    return any(excludes(one, other) for index, one in enumerate(tests) for other in tests[index + 1 :])


def _asked(agreement: Agreement, rule: FitCriterion, given: Iterable[Test]) -> tuple[Test, ...] | None:
    """What the rule asks, with what is given; None where no lead can answer yes."""
    matches = {persona.name: persona.match for persona in agreement.personas}
    condition = matches.get(rule.persona, Condition()) if rule.persona else rule.when or Condition()
    tests = (*condition.tests, *given)
    return None if contradicts(tests) else tests


def _most_of(rule: EngagementCriterion) -> float:
    if not rule.activity:
        return rule.points
    limit = inf if rule.at_most is None else rule.at_most
    return limit if rule.points > 0 else -limit if rule.points < 0 else 0


def _most(criteria: Sequence[tuple[int, tuple[Test, ...]]]) -> float:
    """The most points of criteria that can hold together, two at a time."""
    against = [
        frozenset(other for other, (_, theirs) in enumerate(criteria) if other != index and contradicts((*tests, *theirs)))
        for index, (_, tests) in enumerate(criteria)
    ]
    left, total = set(range(len(criteria))), 0.0
    while left:
        group = _group(min(left), against)
        left -= group
        total += _best(group, against, [points for points, _ in criteria])
    return total


def _group(start: int, against: Sequence[frozenset[int]]) -> frozenset[int]:
    """Those that exclude this one, those that exclude these, and so on."""
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
    """No less than the best: of criteria that all exclude each other, one counts."""
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
