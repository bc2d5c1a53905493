"""Reasons that grew: sales gives back clearly more of its leads for a reason than in the three months before."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from agreements.model import Agreement
from agreements.review.chance import grew
from agreements.review.passes import Pass
from agreements.review.period import Period
from agreements.review.proposal import Proposal, shown
from agreements.review.reason_watch import watch
from agreements.review.reasons import GivenBack
from agreements.review.share import FEW, Share

#: A reason has grown when its share is at least this many times what it was.
RISE = 1.5
#: Below this rise the other sources count as unchanged.
STILL = 1.2
#: How often, over all reasons that were given often enough to be compared, one that did not grow may be named by chance.
CHANCE = 0.001
#: With how many days before the period it is compared.
DAYS_BEFORE = 91

#: Which leads: the version of the agreement, the source, and the week of the period; None for the days before.
_Which = tuple[int, str, date | None]


@dataclass(frozen=True, slots=True)
class ReasonGrowth:
    """One reason: given back for it, of the leads that sales got, in the period and before; both by source; the period by week too."""

    code: str
    now_by: Mapping[str, Share]
    before_by: Mapping[str, Share]
    weeks: Mapping[date, Share]

    @property
    def now(self) -> Share:
        """The share in the period."""
        return sum(self.now_by.values(), Share())

    @property
    def before(self) -> Share:
        """The share in the days before."""
        return sum(self.before_by.values(), Share())


def grown_reasons(
    passes: Sequence[Pass], given: Sequence[GivenBack], versions: Mapping[int, Agreement], agreement: Agreement, period: Period
) -> Iterator[Proposal]:
    """Yield a proposal for each reason that grew. Overturned rejections count for none.

    agreement: the version that a change would follow. versions: those under which the leads ran, by number. Like is compared with like:
    only leads of versions that qualify leads as this one does, and that have the reason.
    """
    counted = [one for one in reason_growths(passes, given, versions, agreement, period) if (one.now + one.before).count >= FEW]
    for one in counted:
        chance = CHANCE / len(counted)
        if _has_grown(one.now, one.before, chance=chance) and _is_no_single_week(one):
            yield _proposal(one, _only_source(one, chance=chance), given, agreement, period)


def reason_growths(
    passes: Sequence[Pass], given: Sequence[GivenBack], versions: Mapping[int, Agreement], agreement: Agreement, period: Period
) -> list[ReasonGrowth]:
    """Count each reason of the agreement. Leads of both times are counted as they stood at the end of that time."""
    whole: Counter[_Which] = Counter()
    times: dict[str, Counter[_Which]] = defaultdict(Counter)
    reasons, reasons_before = _reasons_by_pass(given), _reasons_by_pass([one for one in given if one.at < period.begins])
    begins = period.begins - timedelta(days=DAYS_BEFORE)
    for one in passes:
        if one.assigned_at is None or one.merged or not begins <= one.assigned_at < period.as_of:
            continue
        which = (one.version, one.source, period.week(one.assigned_at) if one.assigned_at >= period.begins else None)
        whole[which] += 1
        for code in (reasons if which[2] else reasons_before).get(one.id, ()):
            times[code][which] += 1
    return [_growth(code, whole, times[code], _alike(code, versions, agreement)) for code in (one.code for one in agreement.reasons)]


def _reasons_by_pass(given: Sequence[GivenBack]) -> Mapping[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for one in given:
        if one.ruling != "overturned":
            found[one.pass_id].add(one.reason)
    return found


def _alike(code: str, versions: Mapping[int, Agreement], agreement: Agreement) -> Callable[[int], bool]:
    """Return what tells whether the leads of a version can be compared for this reason."""
    other = {
        number for number, one in versions.items() if one.reason(code) is None or one.qualification != agreement.qualification
    }  # fmt: skip
    return lambda version: version not in other


def _growth(code: str, whole: Counter[_Which], times: Counter[_Which], is_alike: Callable[[int], bool]) -> ReasonGrowth:
    now_by: dict[str, Share] = defaultdict(Share)
    before_by: dict[str, Share] = defaultdict(Share)
    weeks: dict[date, Share] = defaultdict(Share)
    for (version, source, week), of in sorted(whole.items(), key=lambda pair: pair[0][1]):
        if is_alike(version):
            share = Share(count=times[version, source, week], of=of)
            (before_by if week is None else now_by)[source] += share
            if week is not None:
                weeks[week] += share
    return ReasonGrowth(code, now_by, before_by, weeks)


def _has_grown(now: Share, before: Share, *, chance: float) -> bool:
    return now.count >= FEW and _is_rise(now, before) and grew(now, before, chance=chance)


def _is_rise(now: Share, before: Share) -> bool:
    return bool(now.of) and now.count * before.of >= RISE * before.count * now.of


def _is_no_single_week(one: ReasonGrowth) -> bool:
    """Return whether half of the rise or more is also there without the week in which the reason came most often."""
    rest = one.now - max(one.weeks.values(), key=lambda week: week.count)
    was, now, without = (share.count / share.of if share.of else 0.0 for share in (one.before, one.now, rest))
    return bool(rest.of) and without - was >= (now - was) / 2


def _only_source(one: ReasonGrowth, *, chance: float) -> str:
    """Return the source to which the growth belongs alone; empty where there is none."""
    for source, now in one.now_by.items():
        before = one.before_by.get(source, Share())
        others_now, others = one.now - now, one.before - before
        still = bool(others.of) and others_now.count * others.of <= STILL * others.count * others_now.of
        if others_now.of and still and _has_grown(now, before, chance=chance / len(one.now_by)):
            return source
    return ""


def _proposal(one: ReasonGrowth, source: str, given: Sequence[GivenBack], agreement: Agreement, period: Period) -> Proposal:
    place = next(at for at, reason in enumerate(agreement.reasons) if reason.code == one.code)
    reason = agreement.reasons[place]
    grounds = [
        f"Of the leads that sales got, it gave back {shown(one.now)} for it; in the {DAYS_BEFORE} days before, {shown(one.before)}.",
        *([f"Of those from {source}, {shown(one.now_by[source])}; before, {shown(one.before_by.get(source, Share()))}."] if source else []),
    ]
    whom = "both sides" if reason.counts_against == "nobody" else reason.counts_against
    watched = watch(reason, place, given, period, since=period.begins - timedelta(days=DAYS_BEFORE))
    return Proposal(
        kind="reason",
        subject=one.code,
        what=f"'{reason.words}' has grown{f' for leads from {source}, and for no others' if source else ''}."
        f" Talk with {whom} about it before the rules change.",
        grounds=(*grounds, watched.why) if watched else tuple(grounds),
        leads=one.now.count,
        changes=(watched.change,) if watched else (),
        backtest=watched.backtest if watched else "",
    )
