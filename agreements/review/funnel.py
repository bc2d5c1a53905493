"""The funnel of a period: what became of its qualified leads, how fast they were touched, and how often before sales gave up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from agreements.review.passes import Became, Pass
from agreements.review.period import Period
from agreements.review.promises import Promise, decided
from agreements.review.share import Share, Value, ninth_of_ten, part

#: This many touches, or more, are one group.
MANY_TOUCHES = 6


class Funnel(Value):
    """The leads of the period. began: passes that began in it; came_back: those of them whose lead had been here before.

    mqls: passes that became MQLs in it, each once. assigned and what became of them: of the MQLs. never_touched: of the assigned ones.
    merged: passes that turned out to be another lead's; they count nowhere else.
    """

    began: int
    came_back: int
    mqls: int
    assigned: Share
    accepted: Share
    rejected: Share
    unanswered: Share
    waiting: Share
    otherwise: Share
    never_touched: Share
    merged: int


class Speed(Value):
    """How fast sales touched the leads of one tier that were given to a rep in the period. tier: empty for all tiers.

    touched: of these leads. median_seconds, p90_seconds: from the beginning of the pass to the first touch, of the touched ones. in_time:
    first attempts that were due in the period.
    """

    tier: str
    touched: Share
    median_seconds: float | None
    p90_seconds: float | None
    in_time: Share


class Attempts(Value):
    """Touches before sales gave a lead up, for passes that ended in the period. by_touches: how many had 0, 1, … 5, and 6 or more."""

    passes: int
    median: float | None
    by_touches: tuple[int, ...]


class TouchedInTime(Value):
    """How many leads became opportunities, by whether the first attempt was in time. It shows no cause: good leads are called first."""

    in_time: Share
    late: Share


class Recycled(Value):
    """Passes of MQLs that ended in the period, and how many of them as opportunities: of leads that had come back, and of new ones."""

    came_back: Share
    new: Share


class BySource(Value):
    """The MQLs of the period by the source that sent the lead, and what became of them so far."""

    source: str
    mqls: int
    accepted: Share
    opportunities: Share
    won: Share


def mqls(passes: Iterable[Pass], period: Period) -> list[Pass]:
    """Return the passes that became MQLs in the period. A lead that came twice counts once."""
    return [one for one in passes if period.holds(one.mql_at) and not one.merged]


def funnel(passes: Sequence[Pass], period: Period) -> Funnel:
    """Count the leads of the period."""
    found = mqls(passes, period)
    began = [one for one in passes if period.holds(one.began_at)]

    def became(word: Became) -> Share:
        return part(one.became == word for one in found)

    return Funnel(
        began=sum(not one.merged for one in began),
        came_back=sum(one.came_back and not one.merged for one in began),
        mqls=len(found),
        assigned=part(one.assigned_at is not None for one in found),
        accepted=became("accepted"),
        rejected=became("rejected"),
        unanswered=became("unanswered"),
        waiting=became("waiting"),
        otherwise=became("otherwise"),
        never_touched=part(one.touches == 0 for one in found if one.assigned_at),
        merged=sum(one.merged for one in passes if period.holds(one.ended_at)),
    )


def left_alone(passes: Sequence[Pass], period: Period) -> Share:
    """Return how many MQLs of the period nobody tried to reach, of those that sales accepted or did not answer in time.

    A lead that sales gave back has its answer, and one whose answer is not due yet may still get one.
    """
    return part(one.touches == 0 for one in mqls(passes, period) if one.became in ("accepted", "unanswered"))


def speeds(passes: Sequence[Pass], promises: Sequence[Promise], period: Period, tiers: Sequence[str]) -> tuple[Speed, ...]:
    """Return the speed to lead of all tiers, then of each tier in the agreement's order."""
    given = [one for one in passes if period.holds(one.assigned_at) and not one.merged and not one.by_sales]
    first = [
        (one, is_kept) for one, is_kept in decided(promises, period) if one.kind == "first_attempt" and (is_kept or one.cause == "sales")
    ]
    order = [*tiers, *sorted({one.tier for one in given} - set(tiers))]
    return tuple(
        _speed(tier, [one for one in given if tier in ("", one.tier)], [is_kept for one, is_kept in first if tier in ("", one.tier)])
        for tier in ["", *order]
    )


def _speed(tier: str, given: Sequence[Pass], in_time: Sequence[bool]) -> Speed:
    touched = [one for one in given if one.touches]
    waited = [took for one in touched if one.first_touch_at and (took := (one.first_touch_at - one.began_at).total_seconds()) >= 0]
    return Speed(
        tier=tier,
        touched=Share(count=len(touched), of=len(given)),
        median_seconds=median(waited) if waited else None,
        p90_seconds=ninth_of_ten(waited),
        in_time=part(in_time),
    )


def attempts(passes: Iterable[Pass], period: Period) -> Attempts:
    """Count the touches of the passes that sales gave up in the period."""
    tried = [one.touches for one in passes if one.was_given_up and period.holds(one.ended_at)]
    groups = [sum(count == number for count in tried) for number in range(MANY_TOUCHES)]
    return Attempts(
        passes=len(tried), median=median(tried) if tried else None, by_touches=(*groups, sum(count >= MANY_TOUCHES for count in tried))
    )


def touched_in_time(passes: Mapping[int, Pass], promises: Sequence[Promise], period: Period) -> TouchedInTime:
    """Compare the leads whose first attempt was due in the period. A lead counts by its first promise only."""
    first: dict[int, bool] = {}
    for one, is_kept in sorted(decided(promises, period), key=lambda pair: pair[0].promised_at):
        if one.kind == "first_attempt" and one.pass_id in passes:
            first.setdefault(one.pass_id, is_kept)
    in_time, late = (part(bool(passes[ident].opportunity_at) for ident, kept in first.items() if kept is word) for word in (True, False))
    return TouchedInTime(in_time=in_time, late=late)


def recycled(passes: Iterable[Pass], period: Period) -> Recycled:
    """Return how many MQLs whose pass ended in the period became opportunities, of returned and of new leads."""
    ended = [one for one in passes if one.mql_at and period.holds(one.ended_at) and not one.merged]
    back, new = (part(bool(one.opportunity_at) for one in ended if one.came_back is word) for word in (True, False))
    return Recycled(came_back=back, new=new)


def by_source(passes: Iterable[Pass], period: Period, won: set[int]) -> tuple[BySource, ...]:
    """Return the MQLs of the period by source, in alphabetical order. won: passes with a won opportunity."""
    groups: dict[str, list[Pass]] = {}
    for one in mqls(passes, period):
        groups.setdefault(one.source, []).append(one)
    return tuple(
        BySource(
            source=source,
            mqls=len(found),
            accepted=part(one.became == "accepted" for one in found),
            opportunities=part(bool(one.opportunity_at) for one in found),
            won=part(one.id in won for one in found),
        )
        for source, found in sorted(groups.items())
    )
