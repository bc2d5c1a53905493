"""The figures of a chart as a table: what a screen reader reads, and what can be copied."""

from __future__ import annotations

from dataclasses import dataclass

from app.charts.funnel import greyed
from app.charts.kinds import Aging, Bars, Chart, Curves, Funnel, Load, Rate, Rates, Shares, StackedBars, TimeSpent, Trend
from app.charts.parts import Part, lasting, percent

DASH = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts: the words above its columns, and its rows. The first cell of a row is its name."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def table(chart: Chart) -> Table:
    """Return every figure of the chart, also those that the picture leaves out."""
    match chart:
        case Trend():
            return _trend(chart)
        case Rates(rows=rates):
            return Table(("", "share", "range of chance"), tuple((row.name, row.part.words, _between(row)) for row in rates))
        case Shares(rows=shares):
            return Table(("", "share", "agreed"), tuple((row.name, row.part.words, _goal(row.goal)) for row in shares))
        case StackedBars():
            return _stacks(chart)
        case Aging(bands=bands):
            head = ("age", "on track", "due soon", "breached")
            return Table(head, tuple((one.name, f"{one.on_track:,}", f"{one.due_soon:,}", f"{one.breached:,}") for one in bands))
        case Funnel():
            return _funnel(chart)
        case TimeSpent():
            return _time_spent(chart)
        case Load(reps=reps):
            return Table(
                ("rep", "open", "limit"),
                tuple((one.name, f"{one.open:,}", DASH if one.limit is None else f"{one.limit:,}") for one in reps),
            )
        case Bars(rows=bars):
            return Table(("", "leads"), tuple((one.name, f"{one.count:,}") for one in bars))
        case Curves():
            return _curves(chart)


def _trend(chart: Trend) -> Table:
    names = (f"{line.name} (agreed {100 * line.goal:.0f} %)" if line.goal is not None else line.name for line in chart.lines)
    cells = ((_words(line.parts[at]) if at < len(line.parts) else DASH for line in chart.lines) for at in range(len(chart.periods)))
    return Table(("", *names), tuple((period, *row) for period, row in zip(chart.periods, cells, strict=True)))


def _words(part: Part | None) -> str:
    return part.words if part else DASH


def _between(row: Rate) -> str:
    ends = row.part.interval
    return f"{percent(ends[0])} to {percent(ends[1])}" if ends else DASH


def _goal(goal: float | None) -> str:
    return DASH if goal is None else f"{100 * goal:.0f} %"


def _stacks(chart: StackedBars) -> Table:
    rows = tuple(
        (
            row.name,
            *(f"{count:,}" for count in row.counts),
            f"{sum(row.counts):,}" if row.of is None else Part(sum(row.counts), row.of).words,
        )
        for row in chart.rows
    )
    return Table(("", *chart.parts, "all"), rows)


def _funnel(chart: Funnel) -> Table:
    rows = []
    for cohort in chart.cohorts:
        first = cohort.counts[0] if cohort.counts else 0
        cells = (f"{count:,}" if at == 0 else Part(count, first).words for at, count in enumerate(cohort.counts))
        rows.append((f"{cohort.name} (few or too young)" if greyed(cohort) else cohort.name, *cells))
    return Table(("month", *chart.stages), tuple(rows))


def _time_spent(chart: TimeSpent) -> Table:
    total = sum(row.seconds for row in chart.rows)
    rows = [(row.name, lasting(row.seconds), percent(row.seconds / total) if total else DASH) for row in chart.rows]
    return Table(("", "time", "of all"), (*rows, (f"All, {chart.leads:,} leads", lasting(total), "100.0 %" if total else DASH)))


def _curves(chart: Curves) -> Table:
    found = {(at, step.at): step.value for at, curve in enumerate(chart.curves) for step in curve.steps}
    places = sorted({place for _, place in found})

    def cell(at: int, place: int) -> str:
        value = found.get((at, place))
        return DASH if value is None else percent(value) if chart.shares else f"{value:,.0f}"

    names = tuple(f"{one.name} (agreed: {one.mark})" if one.mark is not None else one.name for one in chart.curves)
    return Table((chart.axis, *names), tuple((str(place), *(cell(at, place) for at in range(len(chart.curves)))) for place in places))
