"""Rows of a chart: a name and its figures in words, and a mark over the whole width below them. So long names fit a phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.charts.look import CARD, EDGE, INK, SOFT, WIDTH, Spec, along, as_given, down, layer, whole
from app.charts.texts import wrapped

#: The height of a row whose name fits a line, of each further line, and where the mark is below the last line, in pixels.
_ROW, _LINE, _BAR_TOP, _BAR_BOTTOM = 40, 15, 21, 35
MIDDLE = (_BAR_TOP + _BAR_BOTTOM) / 2


@dataclass(frozen=True, slots=True)
class Said:
    """The text of a row: its name, its figures in words, and whether it is greyed."""

    name: str
    words: str
    few: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows with their places: the lines of each name, the top of its last line, and the height of all, in pixels."""

    said: tuple[Said, ...]
    names: tuple[tuple[str, ...], ...]
    tops: tuple[int, ...]
    height: int


def placed(said: Sequence[Said]) -> Rows:
    """Give each row the room that its name needs."""
    names, tops, height = [], [], 0
    for one in said:
        lines = wrapped(one.name, room=WIDTH - 6 * len(one.words) - 12)
        names.append(lines)
        tops.append(height + _LINE * (len(lines) - 1))
        height += _ROW + _LINE * (len(lines) - 1)
    return Rows(tuple(said), tuple(names), tuple(tops), height)


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
    rows = placed(said)
    boxes: list[Spec] = [
        {
            "top": rows.tops[one.row] + _BAR_TOP,
            "bottom": rows.tops[one.row] + _BAR_BOTTOM,
            "start": one.start,
            "end": one.end,
            "color": one.color,
            "opacity": one.opacity,
        }
        for one in pieces
    ]
    texts: list[Spec] = [
        {"top": rows.tops[one.row] + MIDDLE + 0.5, "start": (one.start + one.end) / 2, "text": one.text, "color": one.text_color}
        for one in pieces
        if one.text
    ]
    ticks: list[Spec] = [
        {"top": rows.tops[row] + _BAR_TOP - 3, "bottom": rows.tops[row] + _BAR_BOTTOM + 3, "start": place} for row, place in marks
    ]
    x, y = along("start", end=end), down("top", height=rows.height)
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
        *row_texts(rows),
    ]
    if texts:
        layers.append(
            layer(texts, {"type": "text", "fontSize": 11, "baseline": "middle"}, x=x, y=y, text={"field": "text"}, color=as_given("color"))
        )
    if ticks:
        layers.append(layer(ticks, {"type": "rule", "strokeWidth": 2, "color": EDGE}, x=x, y=y, y2={"field": "bottom"}))
    return whole(width=WIDTH, height=rows.height, layers=layers)


def row_texts(rows: Rows) -> list[Spec]:
    """Return the layers with the texts of all rows."""
    names: list[Spec] = []
    words: list[Spec] = []
    for one, lines, top in zip(rows.said, rows.names, rows.tops, strict=True):
        color = SOFT if one.few else INK
        first = top + 12 - _LINE * (len(lines) - 1)
        names += ({"top": first + _LINE * at, "text": line, "color": color} for at, line in enumerate(lines))
        words.append({"top": top + 12, "text": one.words, "color": color})
    y, text = down("top", height=rows.height), {"type": "text", "baseline": "middle", "fontSize": 12}
    return [
        layer(names, {**text, "align": "left"}, x={"value": 0}, y=y, text={"field": "text"}, color=as_given("color")),
        layer(words, {**text, "align": "right"}, x={"value": WIDTH}, y=y, text={"field": "text"}, color=as_given("color")),
    ]
