"""Reasons that grew: sales gives back clearly more of its leads for a reason than in the three months before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from agreements.model import Agreement
from agreements.review.chance import grew
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.reasons import GivenBack
from agreements.review.share import FEW, Share

#: A reason has grown when its share is at least this many times what it was.
RISE = 1.5
#: Below this rise the other sources count as unchanged.
STILL = 1.2
#: How often, over all reasons, one that did not grow may be named by chance.
CHANCE = 0.001
#: With how many days before the period it is compared.
DAYS_BEFORE = 91


@dataclass(frozen=True, slots=True)
class ReasonGrowth:
    """One reason: given back for it, of the leads that sales got, in the period and before; the same by source."""

    code: str
    now: Share
    before: Share
    now_by: Mapping[str, Share]
    before_by: Mapping[str, Share]


def grown_reasons(passes: Sequence[Pass], given: Sequence[GivenBack], agreement: Agreement, period: Period) -> Iterator[Proposal]:
    """Yield a proposal for each reason that grew. Overturned rejections count for none."""
    counted = _counted(passes, given, agreement, period)
    for one in counted:
        if _has_grown(one.now, one.before, chance=CHANCE / len(counted)):
            yield _proposal(one, _only_source(one, chance=CHANCE / len(counted)), agreement, _of_rejections(one.code, given, period))


def _has_grown(now: Share, before: Share, *, chance: float) -> bool:
    return now.count >= FEW and now.count * before.of >= RISE * before.count * now.of and grew(now, before, chance=chance)


def _counted(passes: Sequence[Pass], given: Sequence[GivenBack], agreement: Agreement, period: Period) -> list[ReasonGrowth]:
    whole: dict[tuple[bool, str], int] = defaultdict(int)
    times: dict[tuple[str, bool, str], int] = defaultdict(int)
    reasons = _reasons_by_pass(given)
    begins = period.begins - timedelta(days=DAYS_BEFORE)
    for one in passes:
        if one.assigned_at is None or one.merged or not begins <= one.assigned_at < period.as_of:
            continue
        is_now = one.assigned_at >= period.begins
        whole[is_now, one.source] += 1
        for code in reasons.get(one.id, ()):
            times[code, is_now, one.source] += 1

    def by(code: str, *, is_now: bool) -> dict[str, Share]:
        return {source: Share(count=times[code, now, source], of=of) for (now, source), of in sorted(whole.items()) if now == is_now}

    return [
        ReasonGrowth(code, sum(now.values(), Share()), sum(before.values(), Share()), now, before)
        for code in (one.code for one in agreement.reasons)
        for now, before in [(by(code, is_now=True), by(code, is_now=False))]
    ]


def _reasons_by_pass(given: Sequence[GivenBack]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for one in given:
        if one.ruling != "overturned":
            found[one.pass_id].add(one.reason)
    return found


def _only_source(one: ReasonGrowth, *, chance: float) -> str:
    """Return the source to which the growth belongs alone; empty where there is none."""
    for source, now in one.now_by.items():
        before = one.before_by.get(source, Share())
        others_now, others = _others(one.now, now), _others(one.before, before)
        still = bool(others.of) and others_now.count * others.of <= STILL * others.count * others_now.of
        if others_now.of and still and _has_grown(now, before, chance=chance / len(one.now_by)):
            return source
    return ""


def _others(whole: Share, own: Share) -> Share:
    return Share(count=whole.count - own.count, of=whole.of - own.of)


def _of_rejections(code: str, given: Sequence[GivenBack], period: Period) -> Share:
    """Return the reason's part of everything that was given back before the period."""
    begins = period.begins - timedelta(days=DAYS_BEFORE)
    own = [one.reason for one in given if begins <= one.at < period.begins and one.ruling != "overturned"]
    return Share(count=own.count(code), of=len(own))


def _proposal(one: ReasonGrowth, source: str, agreement: Agreement, part: Share) -> Proposal:
    place = next(at for at, reason in enumerate(agreement.reasons) if reason.code == one.code)
    reason = agreement.reasons[place]
    grounds = [
        f"Of the leads that sales got, it gave back {shown(one.now)} for it; in the {DAYS_BEFORE} days before, {shown(one.before)}.",
        *([f"Of those from {source}, {shown(one.now_by[source])}; before, {shown(one.before_by.get(source, Share()))}."] if source else []),
    ]
    whom = "both sides" if reason.counts_against == "nobody" else reason.counts_against
    talk = f"Talk with {whom} about it before the rules change."
    limit = min(100, 5 * ceil(20 * part.count / part.of)) if part.of else 0
    watch = bool(limit) and not part.few and (reason.alert_above is None or reason.alert_above > limit)
    if watch:
        grounds.append(f"The draft watches it: it was {shown(part)} of what was given back, so the limit is {limit} %.")
    return Proposal(
        kind="reason",
        subject=one.code,
        what=f"'{reason.words}' has grown{f' for leads from {source}, and for no others' if source else ''}. {talk}",
        grounds=tuple(grounds),
        leads=one.now.count,
        changes=(Change(path=("reasons", place, "alert_above"), value=limit),) if watch else (),
    )
