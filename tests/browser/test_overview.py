"""The overview of open leads in a real browser: on a phone and a desk, in light and dark, without scripts, and by keyboard.

With BATON_PICTURES=FOLDER the pictures of the docs are taken on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, Request, expect

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.stage import NOW, Stage
from tests.app.test_overview_page import another
from tests.browser.busy_week import busy_week
from tests.browser.conftest import PHONE, press, shown

pytestmark = pytest.mark.long
DESK = {"width": 1280, "height": 900}
#: The readers and their pages, and what a reader may have chosen: a page full of leads, one by filters, and one without any.
READERS = (("mina", "marketing"), ("maria", "manager"))
CHOSEN = ("", "?stage=working&campaign=price+page&rep=ana&month=2027-02", "?campaign=no+such")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_overview_is_readable_before_and_after_the_code(
    company: Stage, new_page: Callable[..., Page], scheme: str, size: dict[str, int]
) -> None:
    another(company, "Zoe", "Maximilian " + "W" * 200, "<img src=x onerror=alert(1)>", minutes=-90, campaign="c" * 90, source="s" * 90)
    page, link = new_page(viewport=size, color_scheme=scheme, java_script_enabled=True), company.box.links.for_person("mina", at=NOW)

    page.goto(f"{link}/leads")
    shown(page)
    page.get_by_label("Code from the message").fill(company.box.links.number(link.rpartition("/")[2]))
    press(page.get_by_role("button", name="Show names"))
    page.get_by_text("Choose leads").click()
    shown(page)

    assert page.get_by_text("<img src=x onerror=alert(1)>").is_visible()


def test_leads_are_chosen_without_scripts_and_by_keyboard_only(company: Stage, new_page: Callable[..., Page]) -> None:
    another(company, "Zoe", campaign="spring")
    page, link = new_page(java_script_enabled=False), company.box.links.for_person("mina", at=NOW)

    page.goto(f"{link}/leads")
    page.get_by_text("Choose leads").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Campaign").focus()
    page.keyboard.type("spring")
    with page.expect_navigation():
        page.get_by_role("button", name="Show these").press("Enter")

    assert "campaign=spring" in page.url
    assert page.get_by_text("1 open of those chosen, 0 late").is_visible()


def note(asked: list[str], request: Request) -> None:
    asked.append(request.url)


def picture(page: Page, name: str, *, of: str, height: float) -> None:
    """Takes a picture of so much of the page from the top of this part on: whole pages would be too large for the docs."""
    folder, box = os.environ.get("BATON_PICTURES", ""), page.locator(of).first.bounding_box()
    assert box is not None
    if folder:
        clip: FloatRect = {"x": 0, "y": max(0, box["y"] - 16), "width": page.evaluate("window.innerWidth"), "height": height}
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, clip=clip)


def test_a_busy_week_is_readable_for_marketing_and_managers_at_every_width(
    box: Toolbox, time: SteppedTime, new_page: Callable[..., Page]
) -> None:
    box.settings.prefect_ui_url = "https://prefect.northgate.example"
    with busy_week(box, time) as site:
        for (person, side), (width, size), scheme in product(READERS, (("phone", PHONE), ("desk", DESK)), ("light", "dark")):
            page, asked = new_page(viewport=size, color_scheme=scheme), list[str]()
            page.on("request", partial(note, asked))
            token = box.links.for_person(person, at=time.at).rpartition("/")[2]
            page.goto(f"{site}/m/{token}/leads")
            page.get_by_label("Code from the message").fill(box.links.number(token))
            press(page.get_by_role("button", name="Show names"))
            for chosen in CHOSEN:
                page.goto(f"{site}/m/{token}/leads{chosen}")
                expect(page.get_by_role("heading", name="Kept this week: b2b-saas")).to_be_visible()
                shown(page)
                if not chosen and scheme == "light":
                    part, height = (".columns > div + div", 1_040) if width == "phone" else ("main > header", 660)
                    picture(page, f"overview-{side}-{width}", of=part, height=height)

            assert [url for url in asked if not url.startswith((site, "data:"))] == []
