"""The page of one lead for marketing and managers in a real browser: on a phone and a desk, before and after the code."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.app.stage import NOW, Stage
from tests.browser.conftest import PHONE, press, shown

pytestmark = pytest.mark.long


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "light"), ({"width": 1280, "height": 900}, "dark")], ids=["phone", "desk"])
def test_a_lead_is_reached_from_the_overview_and_can_be_read_by_everybody(
    company: Stage, new_page: Callable[..., Page], size: dict[str, int], scheme: str
) -> None:
    company.later(minutes=25)
    page, link = new_page(viewport=size, color_scheme=scheme), company.box.links.for_person("mina", at=NOW)

    page.goto(f"{link}/leads/1")
    shown(page)
    press(page.get_by_role("link", name="Type the code from the message"))
    page.get_by_label("Code from the message").fill(company.box.links.number(link.rpartition("/")[2]))
    press(page.get_by_role("button", name="Show names"))
    press(page.get_by_role("link", name="lead 1"))
    shown(page)

    assert page.get_by_role("heading", name="What happened so far").is_visible()
