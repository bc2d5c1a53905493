"""Check that each reason's consequence can be carried out, and that recycling can happen."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.checks.base import Finding
from agreements.clauses.after import Then
from agreements.clauses.nurturing import OTHER_TRACKS
from agreements.model import Agreement, Reason
from agreements.yaml_reader import Path

#: More revisits than this are a mistake.
_MOST_REVISITS = 100


#: What may end in a nurture track.
_TO_NURTURE: tuple[Then, ...] = ("nurture", "marketing-triage")


def find(agreement: Agreement) -> Iterator[Finding]:
    """Find reasons that contradict themselves or the clocks, and recycling that never happens or never ends."""
    seen: dict[str, int] = {}
    for index, reason in enumerate(agreement.reasons):
        first = seen.setdefault(reason.code, index)
        if first != index:
            what = f"the reason {reason.code!r} appears twice; give each its own code"
            yield Finding(("reasons", index, "code"), what, needs=(("reasons", first, "code"),))
        yield from _one(agreement, ("reasons", index), reason)
    if not any(reason.then == "nurture" for reason in agreement.reasons):
        what = "no reason leads to nurture, so later interest is lost; add `{code: not-now, then: nurture, revisit: 60 days}`"
        yield Finding(("reasons",), what, needs=(("reasons",),))
    yield from _recycling(agreement)
    yield from _nurture(agreement)


def _nurture(agreement: Agreement) -> Iterator[Finding]:
    agreed = agreement.nurture
    where, enrol = ("nurture", "lists"), ("nurture", "enrol")
    if agreed.lists and agreed.enrol != "hubspot-list":
        yield Finding(where, "belongs to `enrol: hubspot-list`; leave it out, or write that", needs=(enrol,))
    if agreed.enrol != "hubspot-list":
        return
    if OTHER_TRACKS not in agreed.lists:
        what = f"no list is named for the tracks that have none of their own; write its number, such as `lists: {{{OTHER_TRACKS}: 412}}`"
        yield Finding(where, what, needs=(enrol,))


def _one(agreement: Agreement, where: Path, reason: Reason) -> Iterator[Finding]:
    then = (*where, "then")
    if reason.then == "hand-to" and "colleague" not in reason.ask:
        yield Finding((*where, "ask"), "a lead is handed to a colleague whom the rep names; write `ask: colleague`", needs=(then,))
    if reason.then != "hand-to" and "colleague" in reason.ask:
        yield Finding((*where, "ask"), f"only `then: hand-to` asks for a colleague, not {reason.then}; leave it out", needs=(then,))
    if reason.asks_channel and reason.then != "suppress":
        what = f"only `then: suppress` asks which ways of contact the person refuses, not {reason.then}; leave it out"
        yield Finding((*where, "ask"), what, needs=(then,))
    if reason.needs == "touches" and not agreement.clocks.outcome.touches.at_least:
        what = "no number of touches is agreed; write `touches: 6` under clocks.outcome, or leave it out"
        yield Finding((*where, "needs"), what, needs=(("clocks", "outcome", "touches"),))
    if reason.revisit is not None and reason.then not in _TO_NURTURE:
        what = f"no lead is revisited after {reason.then}; leave it out, or write `then: nurture`"
        yield Finding((*where, "revisit"), what, needs=(then,))
    if reason.revisit is not None and not reason.revisit.asked_date_or.amount:
        yield Finding((*where, "revisit"), "leaves no time at all; write one such as '60 days'")
    if reason.track and reason.then not in _TO_NURTURE:
        yield Finding((*where, "track"), f"belongs to nurture, not to {reason.then}; leave it out, or write `then: nurture`", needs=(then,))
    if reason.alert_above is not None and reason.alert_above > 99:
        yield Finding((*where, "alert_above"), "no share is above 100%; write one from 1% to 99%, such as '10%'")


def _recycling(agreement: Agreement) -> Iterator[Finding]:
    rules = agreement.recycling
    if rules.at_most < 1:
        what = "a lead in nurture would end at its first revisit; write at least 1"
        yield Finding(("recycling", "at_most"), what)
    if rules.at_most > _MOST_REVISITS:
        yield Finding(("recycling", "at_most"), f"a lead would never be given up; write at most {_MOST_REVISITS}, such as 3")
    if not rules.revisit.amount:
        yield Finding(("recycling", "revisit"), "leaves no time at all; write one such as '90 days'")
