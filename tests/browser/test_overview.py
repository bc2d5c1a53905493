"""The overview of open leads in a real browser: on a phone and a desk, in light and dark, without scripts, and by keyboard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.app.stage import NOW, Stage
from tests.app.test_overview_page import another
from tests.browser.conftest import PHONE, press, shown

pytestmark = pytest.mark.long
DESK = {"width": 1280, "height": 900}


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
