"""Real Chromium on the real pages, over real HTTP. With BATON_PICTURES=FOLDER the pictures of the docs are taken on the way."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from tests.app.stage import Stage, stage
from tests.patience import PATIENCE_SECONDS

#: What axe calls grave enough to keep somebody out.
GRAVE = ("serious", "critical")
PHONE = {"width": 375, "height": 740}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium without a window. Skips where there is none, and fails under BATON_REQUIRE_ALL=1.

    One for each module and not for all: while it is open, no other event loop runs in this process.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        (pytest.fail if os.environ.get("BATON_REQUIRE_ALL") == "1" else pytest.skip)("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, web_url="") as running:
        yield running


@pytest.fixture
def new_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a browser of its own, as wide as a phone, and an empty page in it. What goes wrong in a page fails the test."""
    contexts, wrong = [], []

    def open_page(**more: Any) -> Page:
        context = chromium.new_context(**{"viewport": PHONE, **more})
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" and "Content" in message.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def press(button_or_link: Locator) -> None:
    """Presses what leads to a page, and waits until that page is there: Playwright's own click ends before that."""
    with button_or_link.page.expect_navigation():
        button_or_link.click()


def shown(page: Page, name: str = "") -> None:
    """Looks at the page as it is: axe finds nothing grave, nothing is wider than the window. name: of its picture, for the docs."""
    grave = [one for one in Axe().run(page).response["violations"] if one["impact"] in GRAVE]
    told = [f"{one['id']}: {one['help']}: {[node['html'][:150] for node in one['nodes']]}" for one in grave]
    assert told == []
    wide, window = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= window
    folder = os.environ.get("BATON_PICTURES", "")
    if folder and name:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
