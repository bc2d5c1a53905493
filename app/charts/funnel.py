"""The chart of cohorts: a row for each month, a column for each stage, and in each cell a bar, a count and its share."""

from __future__ import annotations

from app.charts.kinds import Cohort, Funnel
from app.charts.look import FAINT, GRID, INK, SOFT, TONES, WIDTH, Spec, as_given, down, layer, whole
from app.charts.parts import FEW
from app.charts.texts import fitted

_NAMES, _HEAD, _ROW, _GAP = 66, 24, 50, 4


def funnel(chart: Funnel) -> Spec:
    """Draw how many of each cohort reached each stage. A cohort that is young or small is grey."""
    height = _HEAD + _ROW * len(chart.cohorts)
    column = (WIDTH - _NAMES) / max(1, len(chart.stages))
    heads = [_text(_NAMES + column * at, 10, fitted(name, room=column), SOFT) for at, name in enumerate(chart.stages)]
    names, boxes, figures = [], [], []
    for row, cohort in enumerate(chart.cohorts):
        top, color = _HEAD + _ROW * row, SOFT if greyed(cohort) else INK
        names.append(_text(0, top + 8, fitted(cohort.name, room=_NAMES), color))
        if greyed(cohort):
            names.append(_text(0, top + 21, "few leads" if cohort.mature else "too young", SOFT))
        for at, count in enumerate(cohort.counts[: len(chart.stages)]):
            left, share = _NAMES + column * at, count / cohort.counts[0] if cohort.counts[0] else 0
            boxes.append(_box(left, left + column - _GAP, top + 29, GRID))
            boxes.append(_box(left, left + (column - _GAP) * min(1, share), top + 29, FAINT if greyed(cohort) else TONES[0]))
            figures.append(_text(left, top + 8, f"{count:,}", color))
            if at and cohort.counts[0]:
                figures.append(_text(left, top + 21, f"{100 * share:.0f} %", color))
    x, y = _across("left"), down("top", height=height)
    text: Spec = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 12}
    boxed = layer(boxes, {"type": "rect"}, x=x, x2={"field": "right"}, y=y, y2={"field": "bottom"}, fill=as_given("color"))
    written = layer([*heads, *names, *figures], text, x=x, y=y, text={"field": "text"}, color=as_given("color"))
    return whole(width=WIDTH, height=height, layers=[boxed, written])


def greyed(cohort: Cohort) -> bool:
    """Return whether the shares of this cohort say little: it is too young, or small."""
    return not cohort.mature or not cohort.counts or cohort.counts[0] < FEW


def _across(field: str) -> Spec:
    return {"field": field, "type": "quantitative", "axis": None, "scale": {"domain": [0, WIDTH], "range": [0, WIDTH], "nice": False}}


def _text(left: float, top: float, text: str, color: str) -> Spec:
    return {"left": left, "top": top, "text": text, "color": color}


def _box(left: float, right: float, top: float, color: str) -> Spec:
    return {"left": left, "right": right, "top": top, "bottom": top + 9, "color": color}
