"""How charts look in a real browser: at both widths, in light and dark, read aloud, and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from app.audit.page import page as audit_page
from app.backtest.page import page as backtest_page
from app.backtest.page import style
from app.charts.figure import figure
from app.review.page import page as review_page
from app.review.report import Review
from tests.app.audit.ground import example_audit
from tests.app.backtest.example import example_backtest
from tests.app.charts.ground import every_kind
from tests.app.review.example import empty_review, example_review

pytestmark = pytest.mark.long

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'


def all_charts() -> str:
    """A page with a chart of each kind."""
    figures = "".join(figure(chart) for chart in every_kind())
    return (
        f'{HEAD}<title>Charts</title><style>{style()}</style></head><body><main><h1>Charts</h1><div class="charts">{figures}</div></main>'
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "charts": all_charts,
    "backtest": lambda: backtest_page(example_backtest()),
    "audit": lambda: audit_page(example_audit(drafted=True)),
    "review": lambda: review_page(example_review()),
    "review of nothing": lambda: review_page(empty_review()),
}
#: What A4 has room for between its margins of 12 mm, in pixels of 1/96 inch.
A4 = {"width": 703, "height": 1031}


@pytest.fixture(scope="module", params=PAGES)
def html(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of charts as a file."""
    path = tmp_path_factory.mktemp("pages") / "page.html"
    path.write_text(PAGES[request.param](), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [375, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_page_of_charts_fits_its_width_and_can_be_read_by_everybody(chromium: Browser, html: Path, width: int, scheme: str) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.goto(html.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert asked == [html.as_uri()]
    page.close()


def test_no_text_of_a_chart_is_smaller_on_a_phone_than_can_be_read(chromium: Browser, html: Path) -> None:
    page = chromium.new_page(viewport={"width": 375, "height": 900})
    page.goto(html.as_uri())

    small = page.evaluate("""() => [...document.querySelectorAll('.chart svg text')]
        .map(text => [text.textContent, parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a])
        .filter(([, size]) => size < 8)""")

    assert small == []
    page.close()


@pytest.mark.parametrize("make", [example_review, empty_review])
def test_the_first_sheet_of_a_review_fits_a_screen_and_a_page_of_paper(
    chromium: Browser, tmp_path: Path, make: Callable[[], Review]
) -> None:
    html = tmp_path / "review.html"
    html.write_text(review_page(make()), encoding="utf-8")

    for size, media in (({"width": 1280, "height": 800}, "screen"), (A4, "print")):
        page = chromium.new_page(viewport={"width": size["width"], "height": size["height"]})
        page.emulate_media(media="print" if media == "print" else "screen")
        page.goto(html.as_uri())
        assert page.evaluate("document.querySelector('.sheet').getBoundingClientRect().bottom") <= size["height"]
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        page.close()


def test_a_review_is_printed_on_a_few_pages(chromium: Browser, tmp_path: Path) -> None:
    html = tmp_path / "review.html"
    html.write_text(review_page(example_review()), encoding="utf-8")
    page = chromium.new_page()
    page.goto(html.as_uri())

    printed = page.pdf(format="A4")

    assert 2 <= len(re.findall(rb"/Type\s*/Page[^s]", printed)) <= 8
    page.close()
