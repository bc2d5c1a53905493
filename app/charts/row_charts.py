"""Charts of rows: shares, counts, times and loads, each drawn below its name and its figures."""

from __future__ import annotations

from collections.abc import Sequence

from app.charts.kinds import Aging, Bars, Load, Rates, Shares, Stack, StackedBars, TimeSpent
from app.charts.look import (
    CARD,
    CLOCK_TONES,
    FAINT,
    GRID,
    INK,
    ON_TONES,
    TONES,
    WIDTH,
    Spec,
    along,
    as_given,
    down,
    layer,
    share_axis,
    whole,
)
from app.charts.parts import FEW, Part, lasting, percent
from app.charts.rows import MIDDLE, Piece, Said, bar_rows, placed, row_texts

#: Rows and parts beyond these are in the table only.
MOST_ROWS, MOST_PARTS = 25, 8
_DIGIT = 8


def rates(chart: Rates) -> Spec:
    """Draw a dot for each share, and a line for the range that chance alone could give."""
    rows = [row for row in chart.rows if row.part.of][:MOST_ROWS]
    in_rows = placed([Said(row.name, row.part.words, few=row.part.few) for row in rows])
    dots: list[Spec] = []
    for top, row in zip(in_rows.tops, rows, strict=True):
        low, high = row.part.interval or (0.0, 0.0)
        color, fill = (FAINT, CARD) if row.part.few else (TONES[0], TONES[0])
        dots.append({"top": top + MIDDLE, "low": low, "high": high, "share": row.part.share, "color": color, "fill": fill})
    end = max(one["high"] for one in dots)
    place, y = along("low", end=end, axis=share_axis(highest=end)), down("top", height=in_rows.height)
    point = {"type": "point", "size": 90, "opacity": 1, "strokeWidth": 2}
    lines = layer(dots, {"type": "rule", "strokeWidth": 3}, x=place, x2={"field": "high"}, y=y, color=as_given("color"))
    points = layer(dots, point, x={**place, "field": "share"}, y=y, stroke=as_given("color"), fill=as_given("fill"))
    return whole(width=WIDTH, height=in_rows.height, layers=[lines, points, *row_texts(in_rows)])


def shares(chart: Shares) -> Spec:
    """Draw each share as a bar on a track of 100 %, with a mark at the agreed share."""
    rows = chart.rows[:MOST_ROWS]
    tracks = [Piece(at, 0, 1, GRID) for at in range(len(rows))]
    bars = [Piece(at, 0, row.part.share or 0, FAINT if row.part.few else TONES[0]) for at, row in enumerate(rows)]
    goals = [(at, row.goal) for at, row in enumerate(rows) if row.goal is not None]
    said = [Said(row.name, row.part.words, few=row.part.few) for row in rows]
    return bar_rows(said, [*tracks, *bars], end=1, marks=goals)


def stacked_bars(chart: StackedBars) -> Spec:
    """Draw the counts of each row behind each other."""
    parts, rows = merged(chart)
    return _stacks(rows, tones=range(len(parts)))


def aging(chart: Aging) -> Spec:
    """Draw the open leads of each age, by what their clock says."""
    rows = [Stack(band.name, (band.on_track, band.due_soon, band.breached)) for band in chart.bands]
    return _stacks(rows, tones=CLOCK_TONES, greyed=False)


def merged(chart: StackedBars) -> tuple[tuple[str, ...], list[Stack]]:
    """Return the parts and rows that are drawn. Of many parts the largest are kept, and the others become one."""
    rows = [row for row in chart.rows if sum(row.counts) or row.of][:MOST_ROWS]
    if len(chart.parts) <= MOST_PARTS:
        return chart.parts, rows
    totals = [sum(row.counts[at] for row in chart.rows) for at in range(len(chart.parts))]
    kept = sorted(sorted(range(len(totals)), key=lambda at: -totals[at])[: MOST_PARTS - 1])
    names = (*(chart.parts[at] for at in kept), f"{len(totals) - len(kept)} others")
    counts = [tuple(row.counts[at] for at in kept) for row in rows]
    return names, [Stack(row.name, (*few, sum(row.counts) - sum(few)), row.of) for row, few in zip(rows, counts, strict=True)]


def bars(chart: Bars) -> Spec:
    """Draw each number as a bar."""
    rows = chart.rows[:MOST_ROWS]
    pieces = [Piece(at, 0, row.count, FAINT if row.tone is None else TONES[row.tone]) for at, row in enumerate(rows)]
    return bar_rows([Said(row.name, f"{row.count:,}") for row in rows], pieces, end=max(chart.end, *(row.count for row in rows)))


def time_spent(chart: TimeSpent) -> Spec:
    """Draw the time of each party as a bar, in the order given."""
    rows, total = [row for row in chart.rows if row.seconds], sum(row.seconds for row in chart.rows)
    color = FAINT if chart.leads < FEW else TONES[0]
    pieces = [Piece(at, 0, row.seconds, color) for at, row in enumerate(rows)]
    said = [Said(row.name, f"{lasting(row.seconds)} ({percent(row.seconds / total)})", few=chart.leads < FEW) for row in rows]
    return bar_rows(said, pieces, end=max(row.seconds for row in rows))


def load(chart: Load) -> Spec:
    """Draw the open leads of each rep as a bar, the part above the limit in another colour, with a mark at the limit."""
    rows = chart.reps[:MOST_ROWS]
    within = [Piece(at, 0, min(row.open, row.open if row.limit is None else row.limit), TONES[0]) for at, row in enumerate(rows)]
    above = [Piece(at, row.limit, row.open, TONES[7]) for at, row in enumerate(rows) if row.limit is not None and row.open > row.limit]
    limits = [(at, float(row.limit)) for at, row in enumerate(rows) if row.limit is not None]
    said = [Said(row.name, f"{row.open:,}" if row.limit is None else f"{row.open:,} of {row.limit:,}") for row in rows]
    return bar_rows(said, [*within, *above], end=max(1, *(max(row.open, row.limit or 0) for row in rows)), marks=limits)


def _stacks(rows: Sequence[Stack], *, tones: Sequence[int], greyed: bool = True) -> Spec:
    most = max(1, *(sum(row.counts) for row in rows))
    pieces, said = [], []
    for at, row in enumerate(rows):
        total, start = sum(row.counts), 0
        few = greyed and (total if row.of is None else row.of) < FEW
        said.append(Said(row.name, f"{total:,}" if row.of is None else Part(total, row.of).words, few=few))
        for count, tone in zip(row.counts, tones, strict=False):
            text = f"{count:,}" if WIDTH * count / most >= _DIGIT * len(f"{count:,}") + 6 else ""
            pieces.append(Piece(at, start, start + count, TONES[tone], text, INK if few else ON_TONES[tone], 0.35 if few else 1))
            start += count
    return bar_rows(said, [piece for piece in pieces if piece.end > piece.start], end=most)
