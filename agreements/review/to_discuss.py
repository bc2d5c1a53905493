"""Which leads to discuss: at most eight, each with why, and of different kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Literal

from agreements.lifecycle import Stage
from agreements.review.deals import Deal
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.promises import Promise, decided
from agreements.review.reasons import GivenBack, of_period
from agreements.review.share import Value
from agreements.words import OpportunityState

MOST = 8
#: From this many reps on, a lead went from hand to hand.
MANY_REPS = 3

#: Why a lead is worth discussing.
WhyDiscuss = Literal["overturned", "lost", "stalled", "never-touched", "stuck", "many-reps", "sent-wrongly", "missed"]


class ToDiscuss(Value):
    """A lead to discuss. lead: its number; company: as the lead gave it. why: the kind; what: in a sentence."""

    lead: int
    company: str
    tier: str
    why: WhyDiscuss
    what: str


def to_discuss(
    passes: Mapping[int, Pass], promises: Sequence[Promise], given: Sequence[GivenBack], deals: Sequence[Deal], period: Period
) -> tuple[ToDiscuss, ...]:
    """Return at most eight leads: the first of each kind, then the second of each, and so on. A lead comes once."""
    kinds = (
        _overturned(passes, given, period),
        _lost(passes, deals, period),
        _stalled(passes, deals, period),
        _untouched(passes, period),
        _stuck(passes),
        _handed_round(passes, period),
        _sent_wrongly(passes, given, period),
        _missed(passes, promises, period),
    )
    found: dict[int, ToDiscuss] = {}
    for row in zip_longest(*kinds):
        for one in row:
            if one is not None:
                found.setdefault(one.lead, one)
        if len(found) >= MOST:
            break
    return tuple(found.values())[:MOST]


def _about(one: Pass, why: WhyDiscuss, what: str) -> ToDiscuss:
    return ToDiscuss(lead=one.lead_id, company=one.company, tier=one.tier, why=why, what=what)


def _overturned(passes: Mapping[int, Pass], given: Sequence[GivenBack], period: Period) -> Iterator[ToDiscuss]:
    for one in of_period(given, period):
        if one.ruling == "overturned" and one.pass_id in passes:
            yield _about(passes[one.pass_id], "overturned", f"Rejected as {one.reason}; the manager overturned it.")


def _lost(passes: Mapping[int, Pass], deals: Sequence[Deal], period: Period) -> Iterator[ToDiscuss]:
    """The lost opportunities, the largest amount of each currency first."""
    lost = [one for one in deals if one.was(OpportunityState.LOST, period) and one.pass_id in passes]
    for one in sorted(lost, key=_largest):
        yield _about(passes[one.pass_id or 0], "lost", f"An opportunity{_worth(one)} was lost.")


def _stalled(passes: Mapping[int, Pass], deals: Sequence[Deal], period: Period) -> Iterator[ToDiscuss]:
    """The opportunities in which nothing changes, the largest amount first."""
    for one in sorted((one for one in deals if one.stalled_at and one.pass_id in passes), key=_largest):
        what = f"An opportunity{_worth(one)} has been stalled since {period.day(one.stalled_at or one.opened_at):%d %b}."
        yield _about(passes[one.pass_id or 0], "stalled", what)


def _largest(one: Deal) -> tuple[int, str]:
    return -(one.amount or 0), one.crm_id


def _worth(one: Deal) -> str:
    return f" of {one.amount / 100:,.0f} {one.currency}".rstrip() if one.amount else ""


def _untouched(passes: Mapping[int, Pass], period: Period) -> Iterator[ToDiscuss]:
    """Accepted, and nobody tried; the oldest acceptance first. Somebody has spoken to a lead that is an opportunity."""
    own = [one for one in passes.values() if period.holds(one.mql_at) and one.accepted_at and not one.touches and not one.merged]
    own = [one for one in own if one.opportunity_at is None]
    for one in sorted(own, key=lambda each: (each.accepted_at or each.began_at, each.id)):
        yield _about(
            one, "never-touched", f"Accepted on {period.day(one.accepted_at or one.began_at):%d %b}, and nobody has tried to reach it."
        )


def _stuck(passes: Mapping[int, Pass]) -> Iterator[ToDiscuss]:
    for one in passes.values():
        if one.stage == Stage.STUCK and one.is_open:
            yield _about(one, "stuck", f"It began on {one.began_at:%d %b} and is stuck; the operator has it.")


def _handed_round(passes: Mapping[int, Pass], period: Period) -> Iterator[ToDiscuss]:
    own = [one for one in passes.values() if period.holds(one.mql_at) and one.reps >= MANY_REPS]
    for one in sorted(own, key=lambda each: (-each.reps, each.id)):
        yield _about(one, "many-reps", f"It was given to {one.reps} reps, one after another.")


def _sent_wrongly(passes: Mapping[int, Pass], given: Sequence[GivenBack], period: Period) -> Iterator[ToDiscuss]:
    """Leads that sales gave back for a reason that counts against routing or marketing, the oldest first."""
    for one in sorted(of_period(given, period), key=lambda each: each.at):
        if one.against != "nobody" and one.ruling != "overturned" and one.pass_id in passes:
            yield _about(passes[one.pass_id], "sent-wrongly", f"Given back as {one.reason}, which counts against {one.against}.")


def _missed(passes: Mapping[int, Pass], promises: Sequence[Promise], period: Period) -> Iterator[ToDiscuss]:
    """Leads with the most missed promises, the most first."""
    times: dict[int, int] = {}
    for one, is_kept in decided(promises, period):
        if not is_kept and one.pass_id in passes:
            times[one.pass_id] = times.get(one.pass_id, 0) + 1
    for ident, count in sorted(times.items(), key=lambda pair: (-pair[1], pair[0])):
        what = "One promise about it was missed." if count == 1 else f"{count} promises about it were missed."
        yield _about(passes[ident], "missed", what)
