"""The charts of a review: its figures as the values that charts are drawn from."""

from __future__ import annotations

from collections.abc import Iterator

from agreements.review.share import Share
from app.charts.kinds import Chart, Cohort, Funnel, Line, Load, Rate, Rates, RepLoad, Spent, Stack, StackedBars, TimeSpent, Trend
from app.charts.parts import Part
from app.review import wording
from app.review.report import Review


def promises(found: Review) -> Iterator[Chart]:
    """Yield the promises of both sides, week by week."""
    weeks = tuple(f"{one.monday.day} {one.monday:%b}" for one in found.weeks)
    lines = (
        Line("marketing", tuple(_part(one.marketing) for one in found.weeks)),
        Line("sales", tuple(_part(one.sales) for one in found.weeks)),
    )
    yield Trend(
        title="Promises kept by week",
        note="Weeks begin on Monday. A week counts the promises that were due in it.",
        if_empty="No promise was due in these 13 weeks.",
        periods=weeks,
        lines=lines,
    )


def leads(found: Review) -> Iterator[Chart]:
    """Yield the funnel by month, and opportunities by the first attempt."""
    months = tuple(
        Cohort(
            one.month,
            (one.mqls, *(step.reached.count for step in (one.sal, one.sql, one.opportunity, one.won))),
            mature=not one.opportunity.young,
        )
        for one in found.cohorts
    )
    yield Funnel(
        title="MQLs by month",
        note="How many MQLs of each month came how far. A grey month is too young: more of its leads may still become opportunities.",
        if_empty="No lead became an MQL in these months.",
        stages=("MQL", "SAL", "SQL", "opp.", "won"),
        cohorts=months,
    )
    late = found.touched_in_time
    yield Rates(
        title="Became opportunities, by the first attempt",
        note="This is no proof: reps call promising leads first.",
        if_empty="No first attempt was due in this period.",
        rows=(Rate("in time", _part(late.in_time)), Rate("late", _part(late.late))),
    )


def reasons(found: Review) -> Iterator[Chart]:
    """Yield the reasons by source."""
    sources = sorted({source for one in found.reasons for source in one.by_source})
    rows = [one for one in found.reasons if one.given.count]
    yield StackedBars(
        title="Why sales gave leads back, by source",
        if_empty="Sales gave no lead back in this period.",
        parts=tuple(source or "no source" for source in sources),
        rows=tuple(Stack(one.label, tuple(one.by_source.get(source, 0) for source in sources), of=one.given.of) for one in rows),
    )


def open_leads(found: Review) -> Iterator[Chart]:
    """Yield the open leads by age and by rep."""
    kinds = sorted({kind for one in found.open_by_age for kind in one.waits_for})
    bounds = [0, *(one.days or 0 for one in found.open_by_age)]
    rows = [
        Stack(wording.age(one, before), tuple(one.waits_for.get(kind, 0) for kind in kinds))
        for one, before in zip(found.open_by_age, bounds, strict=False)
        if one.leads
    ]
    yield StackedBars(
        title="Open leads by age",
        note="By what they waited for at the end of the period.",
        if_empty="No lead was open at the end of the period.",
        parts=tuple(kind.replace("_", " ") for kind in kinds),
        rows=tuple(rows),
    )
    yield Load(
        title="Open leads by rep",
        note="In alphabetical order.",
        if_empty="No rep had an open lead.",
        reps=tuple(RepLoad(one.name, one.open) for one in found.load),
    )


def time_spent(found: Review) -> Iterator[Chart]:
    """Yield where the time of the period's leads went."""
    yield TimeSpent(
        title="Where the time went",
        note="The leads that were open in the period, and their time within it.",
        if_empty="No lead was open in this period.",
        leads=found.time_of_leads,
        rows=tuple(Spent(one.party, one.seconds) for one in found.time_spent if one.seconds),
    )


def _part(one: Share) -> Part:
    return Part(one.count, one.of)
