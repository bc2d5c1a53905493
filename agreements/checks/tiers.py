"""Check that every lead gets a tier, and that every tier, segment and screen rule can be reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from agreements.checks.base import Finding, names_of
from agreements.clauses.base import nearest, one_of
from agreements.model import Agreement, Attention
from agreements.yaml_reader import Path


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find tiers, segments and screen rules that are never reached, named twice, or missing."""
    yield from _tiers(agreement)
    yield from _hidden(("routing", "segments"), "segment", list(enumerate(agreement.routing.segments)))
    ending = [(index, rule) for index, rule in enumerate(agreement.screen) if rule.then != "route"]  # a route may find no owner
    yield from _hidden(("screen",), "rule", ending)
    if agreement.routing.everyone_away == "on-call-or-hold" and not agreement.routing.on_call:
        what = "`on_call` is missing; add `on_call:` with an id from the roster, or write hold"
        yield Finding(("routing", "everyone_away"), what, needs=(("routing", "on_call"),))
    names = [tier.name for tier in agreement.tiers]
    for index, name in enumerate(agreement.attention.interrupt if agreement.attention != Attention() else ()):
        if name not in names:
            what = f"there is no tier {name!r}{nearest(name, names)}; write {one_of(names)}, or [] where none interrupts"
            yield Finding(("attention", "interrupt", index), what, needs=names_of("tiers", len(names)))
    for index, rule in enumerate(agreement.screen):
        if not rule.when.tests and rule.then != "route":
            what = "asks nothing, so it takes every lead and none is ever qualified; write what is asked, such as {email: disposable}"
            yield Finding(("screen", index, "when"), what, needs=(("screen", index, "when"),))
        if rule.tier and rule.then != "route":
            yield Finding(("screen", index, "tier"), "only a lead that is routed has a tier; leave it out, or write `then: route`")
        elif rule.tier and rule.tier not in names:
            what = f"there is no tier {rule.tier!r}{nearest(rule.tier, names)}; write {one_of(names)}"
            yield Finding(("screen", index, "tier"), what, needs=names_of("tiers", len(names)))


def _tiers(agreement: Agreement) -> Iterator[Finding]:
    tiers = agreement.tiers
    seen: dict[str, int] = {}
    for index, tier in enumerate(tiers):
        first = seen.setdefault(tier.name, index)
        if first != index:
            what = f"the tier {tier.name!r} appears twice; give each its own name"
            yield Finding(("tiers", index, "name"), what, needs=(("tiers", first, "name"),))
        if tier.routing == "first-to-claim" and tier.release:
            what = "a released tier is given out one lead and one rep at a time; leave out `release`, or write `routing: round-robin`"
            yield Finding(("tiers", index, "routing"), what, needs=(("tiers", index, "release"),))
    yield from _hidden(("tiers",), "tier", list(enumerate(tiers)))
    takes_all = [tier for tier in tiers if not tier.when.tests]
    if not any(tier.name == "normal" for tier in takes_all):
        where: Path = ("tiers", len(tiers) - 1) if tiers else ("tiers",)
        what = "the last tier must be `{name: normal}` without a condition, so that every lead has one; add it"
        yield Finding(where, what, needs=(("tiers",),))


def _hidden(where: Path, what: str, items: Sequence[tuple[int, Any]]) -> Iterator[Finding]:
    """Find items after one that takes every lead, and repeated items. items: each with its position in the file."""
    for number, (index, item) in enumerate(items):
        for before, other in items[:number]:
            if not other.when.tests or other.when == item.when:
                reason = "takes every lead" if not other.when.tests else "asks the same"
                said = f"can never match: {what} {before + 1}, before it, {reason}; move this one up, or leave it out"
                yield Finding((*where, index), said, needs=((*where, index, "when"), (*where, before, "when")))
                break
