"""Charts: every figure is in the picture's table, nothing that people write breaks the page, and few leads are never ranked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.charts.drawing import spec, svg
from app.charts.figure import figure, style
from app.charts.kinds import Bar, Bars, Chart, Line, Load, Rate, Rates, Stack, StackedBars, Trend, is_empty, ranked
from app.charts.parts import Part, lasting
from app.charts.row_charts import MOST_ROWS, merged
from app.charts.tables import table
from app.charts.texts import wrapped
from tests.app.charts.ground import every_kind
from tests.examples import examples

HOSTILE = '<script>alert(1)</script>" onload="x\' \x00\x07\u202e &amp; {{ 7 * 7 }} \ud800 datum.x aria-label=" עברית'


def picture(chart: Chart) -> ElementTree.Element:
    """The drawn SVG as a tree."""
    return ElementTree.fromstring(svg(chart, label="a chart"))


def texts(chart: Chart) -> list[str]:
    """The texts of the picture."""
    return [node.text or "" for node in picture(chart).iter("text")]


@pytest.mark.parametrize("chart", every_kind(), ids=lambda chart: type(chart).__name__)
def test_a_chart_is_one_small_labelled_picture_with_all_its_figures_in_a_table(chart: Chart) -> None:
    html = figure(chart)

    root = ElementTree.fromstring(re.findall(r"<svg.*</svg>", html, re.DOTALL)[0])
    assert root.get("role") == "img"
    assert (root.get("aria-label") or "").startswith(chart.title)
    assert {node.get("role") for node in root.iter()} <= {None, "img", "graphics-object"}, "what is in a picture needs no name"
    assert not re.search(r"https?://|<script|NaN|undefined|None", html)
    shown = [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)]
    assert [cell for row in table(chart).rows for cell in row if cell not in shown] == []
    assert len(html) < 25_000


def test_the_same_values_give_the_same_bytes() -> None:
    assert [figure(chart) for chart in every_kind()] == [figure(chart) for chart in every_kind()]


@pytest.mark.parametrize("chart", every_kind(HOSTILE), ids=lambda chart: type(chart).__name__)
def test_hostile_names_stay_text(chart: Chart) -> None:
    html = figure(chart)

    html.encode()
    drawn = re.findall(r"<svg.*</svg>", html, re.DOTALL)[0]
    ElementTree.fromstring(drawn)
    assert "<script" not in html
    assert not re.search(r"[\x00\x07\u202e]", html)
    assert 'onload="' not in re.sub(r">[^<]*<", "><", html)


@settings(max_examples=examples(12))
@given(st.text(max_size=60).filter(lambda text: text.strip()), st.lists(st.integers(0, 10**7), min_size=1, max_size=40))
def test_any_name_and_any_counts_can_be_drawn(name: str, counts: list[int]) -> None:
    charts: tuple[Chart, ...] = (
        Bars(title=name, rows=tuple(Bar(name, count) for count in counts)),
        StackedBars(title=name, parts=(name,) * len(counts), rows=(Stack(name, tuple(counts), 10**9),)),
        Rates(title=name, rows=tuple(Rate(name, Part(count, 10**7)) for count in counts)),
    )

    for chart in charts:
        if is_empty(chart):
            assert "<svg" not in figure(chart)
        else:
            assert len(list(picture(chart).iter("text"))) >= 2


@pytest.mark.parametrize(
    "empty",
    [
        Trend(title="Promises kept", periods=("W1",), lines=(), if_empty="No promise was due."),
        Rates(title="Promises kept", rows=(Rate("in time", Part(0, 0)),), if_empty="No promise was due."),
        Load(title="Promises kept", reps=(), if_empty="No promise was due."),
    ],
)
def test_an_empty_chart_is_a_sentence(empty: Chart) -> None:
    html = figure(empty)

    assert "No promise was due." in html
    assert "<svg" not in html
    assert "<table" not in html


@pytest.mark.parametrize("chart", every_kind("datum.secret"), ids=lambda chart: type(chart).__name__)
def test_a_chart_asks_for_nothing_and_what_people_write_is_no_expression(chart: Chart) -> None:
    def keys(value: Any) -> Iterator[tuple[str, Any]]:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            yield str(key), one
            yield from keys(one)

    found = list(keys(spec(chart)))

    assert {key for key, _ in found} & {"url", "href", "signal", "expr", "calculate", "test", "transform"} == set()
    assert {one for key, one in found if key == "labelExpr"} <= {"replace(datum.label, '%', ' %')"}


def test_a_gap_stays_a_gap_and_every_share_stands_above_its_whole() -> None:
    trend = every_kind()[0]

    paths = [node.get("d") or "" for node in picture(trend).iter("path") if node.get("stroke-width") == "2.5"]
    wholes = [text for text in texts(trend) if text in ("40", "41", "12")]

    assert sorted(path.count("M") for path in paths) == [1, 2]
    assert (wholes.count("40"), wholes.count("41"), wholes.count("12")) == (12, 12, 1)


def test_a_year_of_weeks_is_small_and_its_labels_do_not_touch() -> None:
    year = tuple(f"W{week}" for week in range(1, 53))
    line = Line("Marketing", tuple(Part(100 + week, 1200) for week in range(52)))

    html = figure(Trend(title="A year", periods=year, lines=(line, line)))

    written = re.findall(r'<text[^>]*translate\(([0-9.]+),[^>]*font-size="10px"[^>]*>1.2k<', html)
    places = sorted({float(place) for place in written})
    assert len(html) < 40_000
    assert min(after - before for before, after in itertools.pairwise(places)) > 20


@pytest.mark.parametrize(
    ("text", "room", "lines"),
    [
        ("web", 100, ("web",)),
        ("industry in software, logistics", 125, ("industry in", "software, logistics")),
        ("a b c d e f", 14, ("a", "b", "c…")),
        ("Donaudampfschifffahrtsgesellschaft", 90, ("Donaudampfsch…",)),
        ("展示会展示会", 40, ("展示…",)),
        ("", 40, ("",)),
    ],
)
def test_a_name_takes_as_many_lines_as_it_needs_up_to_three(text: str, room: float, lines: tuple[str, ...]) -> None:
    assert wrapped(text, room=room) == lines


def test_few_leads_are_grey_and_come_last_without_a_rank() -> None:
    rows = [Rate("zoe", Part(5, 5)), Rate("low", Part(5, 50)), Rate("abe", Part(0, 3)), Rate("high", Part(40, 50))]

    ordered = ranked(rows)

    assert [row.name for row in ordered] == ["high", "low", "abe", "zoe"]
    (dots,) = (one["data"]["values"] for one in spec(Rates(title="Reps", rows=ordered))["layer"] if one["mark"]["type"] == "point")
    assert [dot["color"] for dot in dots] == ["var(--tone-1)", "var(--tone-1)", "var(--few)", "var(--few)"]


def test_of_many_parts_the_largest_are_drawn_and_none_is_lost() -> None:
    counts = tuple(range(1, 13))
    chart = StackedBars(title="Reasons", parts=tuple(f"reason {count}" for count in counts), rows=(Stack("web", counts),))

    names, (row,) = merged(chart)

    assert names == (*(f"reason {count}" for count in range(6, 13)), "5 others")
    assert sum(row.counts) == sum(counts)


def test_rows_that_have_no_room_are_named_and_are_in_the_table() -> None:
    chart = Bars(title="Sources", rows=tuple(Bar(f"source {at}", 5) for at in range(MOST_ROWS + 3)))

    html = figure(chart)

    assert "3 more are in the table only." in html
    assert f"source {MOST_ROWS + 2}" in html
    assert f"source {MOST_ROWS + 2}" not in texts(chart)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 min"), (20, "20 s"), (240, "4 min"), (3600, "1 h"), (12_000, "3 h 20 min"), (86_400, "1 d"), (190_800, "2 d 5 h")],
)
def test_a_time_as_people_say_it(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


@pytest.mark.parametrize(("paper", "at"), [("#ffffff", 0), ("#1d232a", 1)], ids=["light", "dark"])
def test_colours_stand_out_from_the_paper_and_text_from_the_colours(paper: str, at: int) -> None:
    """3 to 1 for marks and 4.5 to 1 for text, as WCAG asks."""
    colors = [dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{(.*?)\}", style(), re.DOTALL)][
        at
    ]

    weak = [name for name, color in colors.items() if not name.startswith("on-") and contrast(color, paper) < 3]
    unreadable = [place for place in range(1, 9) if contrast(colors[f"on-tone-{place}"], colors[f"tone-{place}"]) < 4.5]

    assert (weak, unreadable) == ([], [])


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21."""
    light = sorted(map(luminance, (one, other)))
    return (light[1] + 0.05) / (light[0] + 0.05)


def luminance(color: str) -> float:
    """The luminance of a colour such as #0b5cad or #fff, 0 to 1."""
    digits = color[1:] if len(color) == 7 else "".join(2 * sign for sign in color[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
