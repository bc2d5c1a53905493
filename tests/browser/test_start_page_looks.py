"""How the demo's start page looks in a real browser: on a phone and a desk, in light and in dark, without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page

from app.demo.chat_room import ChatRoom, Post
from app.demo.inbox.inbox import Inbox
from app.demo.start_page import Places, StartPage
from app.demo.waiting import open_cases
from tests.app.stage import NOW, Stage
from tests.browser.conftest import shown

pytestmark = pytest.mark.long
LOG_IN = "baton:a-password-that-is-as-long-as-the-real-one-is"


@pytest.fixture
def start(company: Stage, tmp_path: Path) -> Iterator[StartPage]:
    """The page when the week is over and one lead waits."""
    places = Places("http://127.0.0.1:1", LOG_IN, "http://127.0.0.1:2", company.url, tmp_path, "5 minutes")
    with Inbox(folder=tmp_path / "mails", now=lambda: NOW) as inbox, StartPage(company.box, inbox, ZoneInfo("Europe/London")) as page:
        page.cases = company.box.read_now(lambda session, now: open_cases(session))
        page.places, page.is_over = places, True
        yield page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_start_page_is_readable_everywhere(new_page: Callable[..., Page], start: StartPage, scheme: str, width: int) -> None:
    page = new_page(viewport={"width": width, "height": 740}, color_scheme=scheme)

    page.goto(start.url)

    shown(page, f"start-page-{scheme}-{width}")
    assert page.get_by_role("heading", name="You are Ana Silva, a rep").is_visible()


def test_one_click_selects_the_whole_log_in(page: Page, start: StartPage) -> None:
    page.goto(start.url)

    page.get_by_text(LOG_IN).click()

    assert page.evaluate("getSelection().toString()") == LOG_IN


def test_the_chat_room_is_readable_and_what_is_written_there_is_only_text(page: Page) -> None:
    with ChatRoom() as room:
        room.posts.append(Post("k", "New hot lead <b>", "Call.\nAnswer: http://127.0.0.1:1/l/token"))
        page.goto(f"http://127.0.0.1:{room.port}/")

        shown(page)
        assert page.get_by_role("heading", name="New hot lead <b>").is_visible()
        assert page.get_by_role("link").get_attribute("href") == "http://127.0.0.1:1/l/token"
