"""How messages look in a real browser: on a phone and a desk, in light, in dark, and in Outlook's own dark mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from agreements.words import TemplateName
from notifications.rendering import message_names, render
from notifications.samples import sample

pytestmark = pytest.mark.long


@pytest.fixture(params=["light", "dark", "outlook"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(chromium: Browser, mode: str) -> Iterator[Page]:
    """A phone, in this mode."""
    opened = chromium.new_page(viewport={"width": 360, "height": 800}, color_scheme="dark" if mode == "dark" else "light")
    yield opened
    opened.close()


def show(page: Page, message: TemplateName, mode: str) -> None:
    page.set_content(render(message, sample(message), key="k").html)
    if mode == "outlook":  # it marks what it recolours, and the rules for it hold for what stands inside
        page.evaluate("['ogsc', 'ogsb'].forEach(name => document.documentElement.dataset[name] = '')")
    dark = "rgb(20, 24, 29)"
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == dark) is (mode != "light")


@pytest.mark.parametrize("message", message_names())
def test_a_message_is_readable_in_every_mode(page: Page, message: TemplateName, mode: str) -> None:
    """Contrast, names of links, tables, language."""
    show(page, message, mode)

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]

    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in serious] == []


@pytest.mark.parametrize("message", message_names())
def test_a_message_fits_a_phone(page: Page, message: TemplateName, mode: str) -> None:
    show(page, message, mode)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("message", ["assigned", "reminder", "taken"])
def test_the_call_is_the_first_thing_to_press_and_large_enough_for_a_thumb(page: Page, message: TemplateName, mode: str) -> None:
    show(page, message, mode)

    first = page.locator("a").first
    box = first.bounding_box()

    assert first.get_attribute("href") == "tel:+442079460177"
    assert box is not None
    assert box["height"] >= 44
    assert box["y"] + box["height"] < 300
