"""Rows of a chart: a name and its figures in words, and a mark over the whole width below them. So long names fit a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.look import CARD, EDGE, INK, SOFT, WIDTH, Spec, along, as_given, down, fitted, layer, whole

#: The height of a row, in pixels.
ROW = 40
_BAR_TOP, _BAR_BOTTOM = 21, 35


@dataclass(frozen=True, slots=True)
class Said:
    """The text of a row: its name, its figures in words, and whether it is greyed."""

    name: str
    words: str
    few: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a bar in a row: its ends on the scale, its colour, the text on it, and how opaque it is."""

    row: int
    start: float
    end: float
    color: str
    text: str = ""
    text_color: str = INK
    opacity: float = 1.0


def bar_rows(said: Sequence[Said], pieces: Sequence[Piece], *, end: float, marks: Sequence[tuple[int, float]] = ()) -> Spec:
    """Return a chart of bars on a scale from 0 to this end. marks: rows and the place of a mark across the bar."""
    height = ROW * len(said)
    boxes: list[Spec] = [
        {
            "top": one.row * ROW + _BAR_TOP,
            "bottom": one.row * ROW + _BAR_BOTTOM,
            "start": one.start,
            "end": one.end,
            "color": one.color,
            "opacity": one.opacity,
        }
        for one in pieces
    ]
    texts: list[Spec] = [
        {
            "top": one.row * ROW + (_BAR_TOP + _BAR_BOTTOM) / 2 + 0.5,
            "start": (one.start + one.end) / 2,
            "text": one.text,
            "color": one.text_color,
        }
        for one in pieces
        if one.text
    ]
    ticks: list[Spec] = [{"top": row * ROW + _BAR_TOP - 3, "bottom": row * ROW + _BAR_BOTTOM + 3, "start": place} for row, place in marks]
    x, y = along("start", end=end), down("top", height=height)
    layers = [
        layer(
            boxes,
            {"type": "rect", "stroke": CARD, "strokeWidth": 1},
            x=x,
            x2={"field": "end"},
            y=y,
            y2={"field": "bottom"},
            fill=as_given("color"),
            opacity={"field": "opacity", "type": "quantitative", "scale": None, "legend": None},
        ),
        *row_texts(said, height=height),
    ]
    if texts:
        layers.append(
            layer(texts, {"type": "text", "fontSize": 11, "baseline": "middle"}, x=x, y=y, text={"field": "text"}, color=as_given("color"))
        )
    if ticks:
        layers.append(layer(ticks, {"type": "rule", "strokeWidth": 2, "color": EDGE}, x=x, y=y, y2={"field": "bottom"}))
    return whole(width=WIDTH, height=height, layers=layers)


def row_texts(said: Sequence[Said], *, height: int) -> list[Spec]:
    """Return the layers with the texts of all rows."""
    room = WIDTH - 6 * max((len(one.words) for one in said), default=0) - 12
    values: list[Spec] = [
        {"top": at * ROW + 12, "name": fitted(one.name, room=room), "words": one.words, "color": SOFT if one.few else INK}
        for at, one in enumerate(said)
    ]
    y = down("top", height=height)
    name = {"type": "text", "align": "left", "baseline": "middle", "fontSize": 12}
    words = {"type": "text", "align": "right", "baseline": "middle", "fontSize": 12}
    return [
        layer(values, name, x={"value": 0}, y=y, text={"field": "name"}, color=as_given("color")),
        layer(values, words, x={"value": WIDTH}, y=y, text={"field": "words"}, color=as_given("color")),
    ]
