"""Draws a chart as SVG, with Vega-Lite and without a network. Vega-Lite is loaded with the first chart."""

from __future__ import annotations

import json
import re
from typing import Any

from markupsafe import Markup

from app.charts import funnel, lines, row_charts
from app.charts.kinds import Aging, Bars, Chart, Curves, Funnel, Load, Rates, Shares, StackedBars, TimeSpent, Trend
from app.charts.look import Spec

#: The version of Vega-Lite that draws, so that a newer library does not change the charts unasked.
VEGA_LITE = "6.4"


def svg(chart: Chart, *, label: str) -> Markup:
    """Return the chart as an element for a page: one picture with this label. The chart must not be empty.

    The same values give the same bytes on one machine. Colours are variables of the page's style sheet.
    """
    import vl_convert

    drawn = vl_convert.vegalite_to_svg(json.dumps(plain(spec(chart))), vl_version=VEGA_LITE, allowed_base_urls=[])
    opening = Markup('<svg role="img" aria-label="{}" ').format(plain(label))
    return Markup(re.sub(r'^<svg[^>]*?(?=width=")', lambda _: opening, drawn, count=1))


def spec(chart: Chart) -> Spec:
    """Return the chart as Vega-Lite reads it."""
    match chart:
        case Trend():
            return lines.trend(chart)
        case Curves():
            return lines.curves(chart)
        case Rates():
            return row_charts.rates(chart)
        case Shares():
            return row_charts.shares(chart)
        case StackedBars():
            return row_charts.stacked_bars(chart)
        case Aging():
            return row_charts.aging(chart)
        case TimeSpent():
            return row_charts.time_spent(chart)
        case Load():
            return row_charts.load(chart)
        case Bars():
            return row_charts.bars(chart)
        case Funnel():
            return funnel.funnel(chart)


def plain(value: Any) -> Any:
    """Return the value with a space for each sign that cannot be printed: control signs would break the SVG, marks of
    direction would turn the figures around."""
    if isinstance(value, str):
        return "".join(sign if sign.isprintable() else " " for sign in value)
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list) else value
