"""The kinds of charts as plain values. Rows stand in the order in which they are given; `ranked` orders rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.charts.parts import Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Titled:
    """What every chart has: a title, a sentence on how to read it, and a sentence that stands in its place where it is empty."""

    title: str
    note: str = ""
    if_empty: str = "There is nothing to show here yet."


@dataclass(frozen=True, slots=True)
class Line:
    """The line of a trend: its name, its part in each period (None for a gap), and the agreed share, 0 to 1."""

    name: str
    parts: tuple[Part | None, ...]
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend(Titled):
    """Shares over time, such as the promises kept by each side in 13 weeks. At most four lines. periods: short labels."""

    periods: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Rate:
    """A named share. goal: the agreed share, 0 to 1."""

    name: str
    part: Part
    goal: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates(Titled):
    """Shares to compare, each with the range that chance alone could give."""

    rows: tuple[Rate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares(Titled):
    """Shares as bars from 0 to 100 %, with a mark at the agreed share."""

    rows: tuple[Rate, ...]


@dataclass(frozen=True, slots=True)
class Stack:
    """A bar of several counts, one for each part of its chart. of: the leads among which they were counted, None for their sum."""

    name: str
    counts: tuple[int, ...]
    of: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackedBars(Titled):
    """Bars of several parts, such as reasons by source. parts: their names; beyond eight, the smallest are drawn as one."""

    parts: tuple[str, ...]
    rows: tuple[Stack, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """Open leads of one age, by what their clock says."""

    name: str
    on_track: int
    due_soon: int
    breached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Aging(Titled):
    """Open leads by age."""

    bands: tuple[Band, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """The leads of one month: how many reached each stage. mature: whether they had the time to reach the last one."""

    name: str
    counts: tuple[int, ...]
    mature: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel(Titled):
    """How many leads of each cohort reached each stage. Shares are of the first stage."""

    stages: tuple[str, ...]
    cohorts: tuple[Cohort, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """The time that one party or cause took, in seconds."""

    name: str
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpent(Titled):
    """Where the time of some leads went. leads: how many they are."""

    leads: int
    rows: tuple[Spent, ...]


@dataclass(frozen=True, slots=True)
class RepLoad:
    """The open leads of a rep, and how many the agreement allows at once, None for no limit."""

    name: str
    open: int
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load(Titled):
    """The open leads of each rep."""

    reps: tuple[RepLoad, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A named number of leads. tone: the place of its colour, from 0; None for grey."""

    name: str
    count: int
    tone: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars(Titled):
    """Numbers of leads as bars. end: where the scale ends at least, so that several charts have one scale."""

    rows: tuple[Bar, ...]
    end: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """A point of a curve. low, high: the range that chance leaves around it."""

    at: int
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A line over thresholds. mark: the agreed one."""

    name: str
    steps: tuple[Step, ...]
    mark: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves(Titled):
    """Curves over the thresholds from 0 to 100. At most four. shares: whether the values are shares, 0 to 1, else they are counts."""

    axis: str
    curves: tuple[Curve, ...]
    shares: bool = False


Chart = Trend | Rates | Shares | StackedBars | Aging | Funnel | TimeSpent | Load | Bars | Curves


def ranked(rows: Iterable[Rate]) -> tuple[Rate, ...]:
    """Return rates with the highest first. Those of few leads are not ranked: they come last, by name."""
    found = tuple(rows)
    enough = sorted((row for row in found if not row.part.few), key=lambda row: (-(row.part.share or 0), row.name))
    return (*enough, *sorted((row for row in found if row.part.few), key=lambda row: row.name))


def is_empty(chart: Chart) -> bool:
    """Return whether the chart has nothing to draw."""
    match chart:
        case Trend(lines=lines):
            return not any(part and part.of for line in lines for part in line.parts)
        case Rates(rows=rates) | Shares(rows=rates):
            return not any(row.part.of for row in rates)
        case StackedBars(rows=stacks):
            return not any(sum(row.counts) or row.of for row in stacks)
        case Aging(bands=bands):
            return not any(band.on_track or band.due_soon or band.breached for band in bands)
        case Funnel(cohorts=cohorts):
            return not any(any(cohort.counts) for cohort in cohorts)
        case TimeSpent(rows=spent):
            return not any(row.seconds for row in spent)
        case Load(reps=reps):
            return not reps
        case Bars(rows=bars):
            return not any(row.count for row in bars)
        case Curves(curves=curves):
            return not any(curve.steps for curve in curves)
