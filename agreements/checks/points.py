"""Check that a lead can become ready for sales: minimums within reach, and at least one way to reach them."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Finding, names_of
from agreements.checks.reach import reach
from agreements.clauses.base import nearest
from agreements.criteria import Condition, Test
from agreements.model import Agreement
from agreements.overlap import can_both_hold
from agreements.qualification import threshold_for
from agreements.yaml_reader import Path

_NEEDS: tuple[Path, ...] = (("qualification", "fit"), ("qualification", "engagement"), ("personas",), ("qualification", "mql"))
_ASKED = {"total": "total", "fit_at_least": "fit", "engagement_at_least": "engagement"}


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find minimums out of reach, unknown personas, and criteria that no lead can meet."""
    yield from _personas(agreement)
    yield from _impossible(agreement)
    rules = agreement.qualification
    if rules.fit or rules.engagement:
        yield from _out_of_reach(agreement)
    elif not rules.fast_lane and (rules.mql.total > 0 or rules.mql.fit_at_least > 0 or rules.mql.engagement_at_least > 0):
        what = "no criterion gives points and `fast_lane` is empty, so no lead is ever ready for sales; write one of `fit`, `engagement`"
        yield Finding(("qualification",), f"{what} or `fast_lane: [demo_requested]`", needs=_NEEDS)


def _personas(agreement: Agreement) -> Iterator[Finding]:
    names: dict[str, int] = {}
    for index, persona in enumerate(agreement.personas):
        first = names.setdefault(persona.name, index)
        if first != index:
            what = f"the persona {persona.name!r} appears twice; give each its own name"
            yield Finding(("personas", index, "name"), what, needs=(("personas", first, "name"),))
    for index, rule in enumerate(agreement.qualification.fit):
        if rule.persona and rule.persona not in names:
            what = f"there is no persona {rule.persona!r}{nearest(rule.persona, names)}; describe it under `personas:`"
            yield Finding(("qualification", "fit", index, "persona"), what, needs=names_of("personas", len(agreement.personas)))


def _impossible(agreement: Agreement) -> Iterator[Finding]:
    for index, rule in enumerate(agreement.qualification.fit):
        if rule.when is not None and not can_both_hold(_but_limits(rule.when), Condition()):
            yield Finding(("qualification", "fit", index, "when"), "no lead can meet all of this; ask for less, or leave it out")


def _but_limits(condition: Condition) -> Condition:
    """Drop `at_most`, because the check of rules already reports a conflict between `at_least` and `at_most`."""
    return Condition(tuple(test for test in condition.tests if test.operator != "at_most"))


def _out_of_reach(agreement: Agreement) -> Iterator[Finding]:
    rules = agreement.qualification
    base = reach(agreement)
    too_high = set()
    for key, part in _ASKED.items():
        wanted, most = getattr(rules.mql, key), getattr(base, part)[1]
        if wanted > most:
            too_high.add(key)
            yield Finding(("qualification", "mql", key), _said(wanted, part, most), needs=_NEEDS)
    for channel, changed in rules.by_channel.items():
        there = reach(agreement, Condition((Test("entry_channel", "is", channel),)))
        threshold = threshold_for(agreement, channel)
        for key, part in _ASKED.items():
            wanted, most = getattr(threshold, key), getattr(there, part)[1]
            own = getattr(changed, key) is not None
            if wanted > most and (own or key not in too_high):
                where: Path = ("qualification", "by_channel", channel, *([key] if own else []))
                yield Finding(where, _said(wanted, part, most, f" by {channel} leads"), needs=(*_NEEDS, where))


def _said(wanted: int, part: str, most: float, whose: str = "") -> str:
    gives = "fit and engagement give" if part == "total" else f"{part} gives"
    return f"{wanted} can never be reached{whose}: {gives} at most {most:g}; write {most:g} or less, or give more points"
