"""Reasons: why sales gave leads back, by source, and whose figures they count against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agreements.clauses.after import CountsAgainst, Reason
from agreements.model import Agreement
from agreements.review.period import Period
from agreements.review.share import Share, Value
from agreements.words import NoWord


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One rejection or return that counts. reason: its code; source: that sent the lead; against: as the agreement of that lead says.

    disputed: marketing objected; ruling: how that was decided, empty while open.
    """

    pass_id: int
    lead_id: int
    at: datetime
    reason: str
    source: str = ""
    tier: str = ""
    against: CountsAgainst = "nobody"
    disputed: bool = False
    ruling: Literal["upheld", "overturned"] | NoWord = ""


class ReasonCount(Value):
    """How often sales gave a reason in the period, of all that it gave. label: as people read it. by_source: times, by source.

    of_month: the same for the calendar month of the last day, so far. alert_above: the agreed limit for that share, in percent, null for
    none. alert: the month's share is above it, and is a share of at least 20.
    """

    reason: str
    label: str
    counts_against: CountsAgainst
    given: Share
    by_source: dict[str, int]
    of_month: Share
    alert_above: int | None
    alert: bool


class Disputes(Value):
    """Objections of marketing to the rejections and returns of the period. raised: of all of them; the rest: of the raised ones."""

    raised: Share
    upheld: Share
    overturned: Share
    open: Share


def reasons(given: Sequence[GivenBack], agreement: Agreement, period: Period) -> tuple[ReasonCount, ...]:
    """Return the reasons that sales gave in the period or in its month, the most frequent first."""
    own, month = of_period(given, period), of_period(given, period.since(period.last.replace(day=1)))
    times, of_month = Counter(one.reason for one in own), Counter(one.reason for one in month)
    known = {one.code: one for one in agreement.reasons}
    listed = sorted({*times, *of_month}, key=lambda code: (-times[code], code))
    return tuple(
        _count(known.get(code), code, [one for one in own if one.reason == code], len(own), Share(count=of_month[code], of=len(month)))
        for code in listed
    )


def _count(reason: Reason | None, code: str, own: Sequence[GivenBack], whole: int, of_month: Share) -> ReasonCount:
    above = reason.alert_above if reason else None
    return ReasonCount(
        reason=code,
        label=reason.words if reason else code,
        counts_against=reason.counts_against if reason else "nobody",
        given=Share(count=len(own), of=whole),
        by_source=dict(sorted(Counter(one.source for one in own).items())),
        of_month=of_month,
        alert_above=above,
        alert=_is_above(of_month, above),
    )


def alerts(times: Mapping[str, int], agreement: Agreement) -> Iterator[tuple[Reason, Share]]:
    """Yield the reasons whose share of a month's rejections is above the agreed limit, with that share. times: by code, in the month."""
    for one in agreement.reasons:
        share = Share(count=times.get(one.code, 0), of=sum(times.values()))
        if _is_above(share, one.alert_above):
            yield one, share


def _is_above(of_month: Share, limit: int | None) -> bool:
    return limit is not None and not of_month.few and of_month.count * 100 > limit * of_month.of


def of_period(given: Iterable[GivenBack], period: Period) -> list[GivenBack]:
    """Return what was given back in the period."""
    return [one for one in given if period.holds(one.at)]


def against(given: Iterable[GivenBack], period: Period) -> Mapping[CountsAgainst, int]:
    """Return how many rejections and returns of the period count against each party. Overturned ones count against nobody."""
    own = [one for one in of_period(given, period) if one.ruling != "overturned"]
    parties: tuple[CountsAgainst, ...] = ("marketing", "routing", "nobody")
    return {party: sum(one.against == party for one in own) for party in parties}


def disputes(given: Iterable[GivenBack], period: Period) -> Disputes:
    """Count the disputes about what was given back in the period."""
    own = of_period(given, period)
    raised = [one for one in own if one.disputed]
    ended = Counter(one.ruling for one in raised)
    return Disputes(
        raised=Share(count=len(raised), of=len(own)),
        upheld=Share(count=ended["upheld"], of=len(raised)),
        overturned=Share(count=ended["overturned"], of=len(raised)),
        open=Share(count=ended[""], of=len(raised)),
    )
