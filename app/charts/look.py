"""The one look of all charts: sizes in pixels of a phone's width, colours by name. The page's style sheet knows the colours."""

from __future__ import annotations

from typing import Any

#: A chart as Vega-Lite reads it.
Spec = dict[str, Any]
#: The whole width of a row, in pixels. A page on paper or a desktop has two charts side by side.
WIDTH = 352
#: The font for which texts are measured. The style sheet names it first.
FONT = "Arial"
INK, SOFT, GRID, EDGE, CARD, FAINT = (f"var(--{name})" for name in ("ink", "soft", "line", "edge", "card", "few"))
#: Colours of the parts of a chart and, for each, a colour in which text on it can be read.
TONES = tuple(f"var(--tone-{place})" for place in range(1, 9))
ON_TONES = tuple(f"var(--on-tone-{place})" for place in range(1, 9))
#: Colours of what a clock says: on track, due soon, breached.
CLOCK_TONES = (0, 5, 7)
#: Lines differ by their dashes and shapes too, for print and for eyes that see few colours.
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 4), (2, 3), (8, 3, 2, 3))
SHAPES = ("circle", "square", "triangle-up", "diamond")


def whole(*, width: int, height: int, layers: list[Spec]) -> Spec:
    """Return a whole chart of these layers."""
    axis = {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "gridColor": GRID,
        "gridOpacity": 0.7,
        "domainColor": EDGE,
        "tickColor": EDGE,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    return {
        "width": width,
        "height": height,
        "padding": 4,
        "background": None,
        "config": {"aria": False, "font": FONT, "view": {"stroke": None}, "axis": axis},
        "layer": layers,
    }


def layer(values: list[Spec], mark: Spec, **encoding: Any) -> Spec:
    """Return one layer of a chart: its values, its mark, and what each channel of the mark shows."""
    return {"data": {"values": values}, "mark": {**mark, "aria": False}, "encoding": encoding}


def down(field: str, *, height: int) -> Spec:
    """Return a place in pixels from the top, in a chart of this height."""
    return {"field": field, "type": "quantitative", "axis": None, "scale": {"domain": [0, height], "range": [0, height], "nice": False}}


def along(field: str, *, end: float, axis: Spec | None = None) -> Spec:
    """Return a place on a scale from 0 to this end, without lines unless an axis is given."""
    return {"field": field, "type": "quantitative", "axis": axis, "title": None, "scale": {"domain": [0, end], "nice": axis is not None}}


def as_given(field: str) -> Spec:
    """Return a colour, dash or other property that each value names itself."""
    return {"field": field, "type": "nominal", "scale": None, "legend": None}


def share_axis(*, highest: float) -> Spec:
    """Return an axis of shares that reaches this share, 0 to 1, labelled as the texts write shares: 20 %."""
    label = "replace(datum.label, '%', ' %')"
    return {"format": ".0%" if highest > 0.04 else ".1%", "labelExpr": label, "tickCount": 5, "domain": False, "ticks": False}
