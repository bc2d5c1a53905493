"""Positions of a chart's marks, in per cent of its plot. The template draws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.backtest.report import Backtest, Share, SideFound
from app.backtest.wording import basis, between, number, percent


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid: its place and its label."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The line of one version: its class for style, its points, and the band of chance around it, where there is one."""

    kind: str
    points: str
    band: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """An agreed threshold: its place, its version, its label, and the side of the label."""

    at: float
    kind: str
    label: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Plot:
    """One panel over the thresholds from 0 to 100."""

    title: str
    ticks: tuple[Tick, ...]
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Both panels, with the marks, and a text for each threshold."""

    volume: Plot
    shares: Plot | None
    marks: tuple[Mark, ...]
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share with the range within which chance may have moved it: the point and both ends."""

    at: float
    low: float
    high: float


KINDS = ("draft", "other")


def curve(found: Backtest) -> Curve:
    """Return the thresholds against volume, and against won share where any outcome is known."""
    sides = found.sides
    most = max(1, *(side.curve[0].leads for side in sides))
    top, ticks = scale(most)
    volume = Plot(
        "Leads that qualify",
        tuple(Tick(_up(value, top), number(round(value))) for value in ticks),
        tuple(Trace(kind, _line([one.leads for one in side.curve], top)) for kind, side in zip(KINDS, sides, strict=False)),
    )
    told = tuple("\n".join(_told(side, threshold, found.word) for side in sides) for threshold in range(101))
    return Curve(volume, _shares(found), tuple(_marks(sides)), told)


def _told(side: SideFound, threshold: int, word: str) -> str:
    one = side.curve[threshold]
    share = f", {one.won:,} of {one.known:,} {word}: {percent(one.share)} ({between(one)})" if one.known else ""
    return f"{side.reference} at {threshold}: {one.leads:,} qualify{share}"


def _marks(sides: Sequence[SideFound]) -> list[Mark]:
    marks = []
    for kind, side in zip(KINDS, sides, strict=False):
        marks.append(Mark(side.threshold, kind, f"{side.reference}: {side.threshold}", "end" if side.threshold > 50 else "start"))
    return marks


def _shares(found: Backtest) -> Plot | None:
    """Draw shares only where enough outcomes are known: a handful of leads can have any share."""
    known = [(kind, side, _enough(side.curve)) for kind, side in zip(KINDS, found.sides, strict=False)]
    ends = [one.interval for _, side, last in known for one in side.curve[: last + 1] if one.interval]
    if not ends:
        return None
    highest = max(high for _, high in ends)
    top, ticks = scale(max(0.02, min(1.0, highest)) * 100)
    traces = []
    for kind, side, last in known:
        shown = [(threshold, one) for threshold, one in enumerate(side.curve[: last + 1]) if one.interval]
        band = [(threshold, one.interval) for threshold, one in shown if one.interval]
        upper = [f"{threshold},{100 - _up(100 * high, top):.2f}" for threshold, (_, high) in band]
        lower = [f"{threshold},{100 - _up(100 * low, top):.2f}" for threshold, (low, _) in reversed(band)]
        line = " ".join(f"{threshold},{100 - _up(100 * (one.share or 0), top):.2f}" for threshold, one in shown)
        traces.append(Trace(kind, line, " ".join(upper + lower)))
    return Plot(
        f"Share {basis(found)}",
        tuple(Tick(_up(value, top), f"{value:g} %") for value in ticks),
        tuple(traces),
    )


#: Shares are drawn where the outcome of at least this many leads is known.
ENOUGH = 30


def _enough(steps: Sequence[Share]) -> int:
    return max((threshold for threshold, one in enumerate(steps) if one.known >= ENOUGH), default=-1)


def _line(values: Sequence[int], top: float) -> str:
    return " ".join(f"{place},{100 - _up(value, top):.2f}" for place, value in enumerate(values))


def _up(value: float, top: float) -> float:
    return 100 * value / top


def scale(most: float) -> tuple[float, list[float]]:
    """Return where an axis ends and where its lines are: round numbers, at most five steps. most: above 0."""
    step = 10.0 ** len(str(int(most)))
    for part in (1000, 500, 250, 200, 100, 50, 25, 20, 10, 5, 2.5, 2, 1):
        if 5 * (step * part / 1000) >= most:
            width = step * part / 1000
    steps = next(count for count in range(1, 6) if count * width >= most)
    return steps * width, [place * width for place in range(steps + 1)]


def whiskers(shares: Sequence[Share]) -> list[Whisker | None]:
    """Return shares on one scale, which ends at their highest end; None where nothing is known."""
    top = max([end for one in shares if (ends := one.interval) for end in ends] or [1.0])
    return [
        Whisker(100 * (one.share or 0) / top, 100 * one.interval[0] / top, 100 * one.interval[1] / top) if one.interval else None
        for one in shares
    ]


def bars(values: Sequence[int]) -> list[float]:
    """Return lengths on one scale; the longest is the whole width."""
    most = max([abs(value) for value in values] or [0]) or 1
    return [100 * abs(value) / most for value in values]
