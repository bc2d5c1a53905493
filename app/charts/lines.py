"""Charts made of lines: shares over time, and curves over thresholds."""

from __future__ import annotations

import math

from app.charts.kinds import Curve, Curves, Line, Trend
from app.charts.look import CARD, DASHES, FAINT, SHAPES, SOFT, TONES, Spec, as_given, layer, share_axis, whole
from app.charts.texts import fitted

#: The plot between its axes, in pixels.
WIDTH, HEIGHT = 306, 170
#: The first row of wholes below a trend, and the height of a row, in pixels.
_WHOLES, _ROW = 36, 14
#: The width of a letter of a period's name and of a digit of a whole, in pixels.
_LETTER, _DIGIT = 6.5, 5.6


def trend(chart: Trend) -> Spec:
    """Draw the share of each period. A gap stays a gap, a share of few leads is hollow and grey, and below stand the wholes."""
    points = [point for at, line in enumerate(chart.lines) for point in _points(chart, line, at=at)]
    period = {"field": "period", "type": "ordinal", "sort": None, "title": None, "scale": {"domain": list(range(len(chart.periods)))}}
    x = {**period, "axis": {"labels": False, "ticks": False}}
    y = {"field": "share", "type": "quantitative", "title": None, "axis": share_axis(highest=1), "scale": {"domain": [0, 1]}}
    every = _every(max((len(point["of"]) for point in points), default=1), letter=_DIGIT, periods=len(chart.periods))
    layers = [layer(_goals(chart), {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.5}, y=y, color=as_given("color"))]
    for at, _ in enumerate(chart.lines):
        own = [point for point in points if point["line"] == at]
        drawn = {
            "type": "line",
            "strokeWidth": 2.5,
            "strokeDash": list(DASHES[at]),
            "color": TONES[at],
            "invalid": "break-paths-show-path-domains",
        }
        shape = {"type": "point", "shape": SHAPES[at], "size": 50, "opacity": 1, "strokeWidth": 2}
        layers.append(layer(own, drawn, x=x, y=y))
        known = [point for point in own if point["share"] is not None]
        counted = [point for point in known if point["period"] % every == 0]
        layers.append(layer(known, shape, x=x, y=y, stroke=as_given("color"), fill=as_given("fill")))
        text = {"type": "text", "fontSize": 10, "baseline": "middle"}
        layers.append(
            layer(counted, text, x=x, y={"value": HEIGHT + _WHOLES + _ROW * at}, text={"field": "of"}, color={"value": TONES[at]})
        )
    under: Spec = {"type": "text", "baseline": "middle", "color": SOFT}
    layers.append(layer(_names(chart), {**under, "fontSize": 12}, x=x, y={"value": HEIGHT + 14}, text={"field": "name"}))
    layers.append(layer([{}], {**under, "fontSize": 10, "align": "right", "text": "of"}, x={"value": -6}, y={"value": HEIGHT + _WHOLES}))
    return whole(width=WIDTH, height=HEIGHT, layers=layers)


def _points(chart: Trend, line: Line, *, at: int) -> list[Spec]:
    found = []
    for period, part in enumerate(line.parts[: len(chart.periods)]):
        known = part is not None and part.of > 0
        color, fill = (FAINT, CARD) if part and part.few else (TONES[at], TONES[at])
        share = part.share if part and known else None
        found.append({"period": period, "line": at, "share": share, "of": short(part.of) if part else "", "color": color, "fill": fill})
    return found


def _goals(chart: Trend) -> list[Spec]:
    return [{"share": line.goal, "color": TONES[at]} for at, line in enumerate(chart.lines) if line.goal is not None]


def _names(chart: Trend) -> list[Spec]:
    """Name as many periods as have room."""
    every = _every(max(len(name) for name in chart.periods), letter=_LETTER, periods=len(chart.periods))
    room = every * WIDTH / len(chart.periods)
    return [{"period": at, "name": fitted(name, room=room)} for at, name in enumerate(chart.periods) if at % every == 0]


def _every(longest: int, *, letter: float, periods: int) -> int:
    """Return that only each so many-th of these texts is written, so that they do not touch."""
    return max(1, math.ceil((letter * longest + 6) / (WIDTH / periods)))


def short(count: int) -> str:
    """Write a whole in at most four signs: 940, 1.2k, 35k, 2M."""
    if count < 1000:
        return str(count)
    if count < 9950:
        return f"{count / 1000:.1f}k"
    return f"{round(count / 1000)}k" if count < 999_500 else f"{round(count / 1_000_000)}M"


def curves(chart: Curves) -> Spec:
    """Draw curves over the thresholds from 0 to 100, the range of chance around them, and a mark at each agreed threshold."""
    highest = max((step.high if step.high is not None else step.value for curve in chart.curves for step in curve.steps), default=1)
    counts: Spec = {"tickCount": 5, "domain": False, "ticks": False, "format": ",d"}
    axis = share_axis(highest=highest) if chart.shares else counts
    end = max(0.02, min(1.0, highest)) if chart.shares else max(1, highest)
    across = {"tickCount": 5, "grid": False, "title": chart.axis}
    x = {"field": "at", "type": "quantitative", "axis": across, "scale": {"domain": [0, 100], "nice": False}}
    y = {"field": "value", "type": "quantitative", "title": None, "axis": axis, "scale": {"domain": [0, end], "nice": True}}
    layers = []
    for at, curve in enumerate(chart.curves):
        bands = [{"at": step.at, "value": step.low, "high": step.high} for step in curve.steps if step.low is not None]
        if bands:
            layers.append(layer(bands, {"type": "area", "color": TONES[at], "opacity": 0.16}, x=x, y=y, y2={"field": "high"}))
    for at, curve in enumerate(chart.curves):
        values = [{"at": step.at, "value": step.value} for step in curve.steps]
        drawn = {"type": "line", "strokeWidth": 2.5, "strokeDash": list(DASHES[at]), "color": TONES[at]}
        layers.append(layer(values, drawn, x=x, y=y))
    layers.extend(_mark(curve, at=at, x=x) for at, curve in enumerate(chart.curves) if curve.mark is not None)
    return whole(width=WIDTH, height=HEIGHT, layers=layers)


def _mark(curve: Curve, *, at: int, x: Spec) -> Spec:
    return layer([{"at": curve.mark}], {"type": "rule", "strokeDash": [2, 3], "strokeWidth": 1.5, "color": TONES[at]}, x=x)
