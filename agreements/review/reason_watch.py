"""The limit above which reviews warn of a reason: what it was before it grew, and which months would have been above it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from agreements.clauses.after import Reason
from agreements.review.period import Period
from agreements.review.proposal import Change, shown
from agreements.review.reasons import GivenBack
from agreements.review.share import Share


@dataclass(frozen=True, slots=True)
class Watch:
    """A limit for a reason: the change that sets it, why, and what it would have done in the past months, each in a sentence."""

    change: Change
    why: str
    backtest: str


def watch(reason: Reason, place: int, given: Sequence[GivenBack], period: Period, *, since: datetime) -> Watch | None:
    """Return a limit of whole steps of five percent; None where few were given back before, or the agreement has a lower limit.

    place: of the reason in the agreement. since: from when the days before the period count; aware.
    """
    before = _part(reason.code, [one for one in given if since <= one.at < period.begins])
    if before.few:
        return None
    limit = min(100, 5 * ceil(20 * before.count / before.of))
    if not limit or (reason.alert_above is not None and reason.alert_above <= limit):
        return None
    return Watch(
        change=Change(path=("reasons", place, "alert_above"), value=f"{limit}%"),
        why=f"The draft watches it: it was {shown(before)} of what was given back before, so the limit is {limit} %.",
        backtest=_backtest(limit, list(_months(reason.code, given, period, since=since))),
    )


def _backtest(limit: int, months: Sequence[tuple[str, Share]]) -> str:
    """Return which months would have been above the limit, and which not. A month with fewer than 20 given back is never above it."""
    told = [(not share.few and share.count * 100 > limit * share.of, f"{name} ({shown(share)})") for name, share in months]
    above, below = (", ".join(words for is_above, words in told if is_above == wanted) for wanted in (True, False))
    return f"Months that would have been above this limit: {above or 'none'}. Not above it: {below or 'none'}."


def _months(code: str, given: Sequence[GivenBack], period: Period, *, since: datetime) -> Iterator[tuple[str, Share]]:
    """Yield each calendar month from then to the end of the period, with the part of the reason; the first and the last may be cut."""
    first: date = period.day(since).replace(day=1)
    while first <= period.last:
        own = [one for one in given if since <= one.at < period.as_of and period.day(one.at).replace(day=1) == first]
        yield f"{first:%b %Y}", _part(code, own)
        first = (first + timedelta(days=32)).replace(day=1)


def _part(code: str, given: Sequence[GivenBack]) -> Share:
    own = [one.reason for one in given if one.ruling != "overturned"]
    return Share(count=own.count(code), of=len(own))
