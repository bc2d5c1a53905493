"""How the demo's inbox shows a message: to its end, on a phone and on a desk, without a bar to scroll inside the page."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Page

from agreements.words import TemplateName
from app.demo.inbox.inbox import Inbox
from notifications.rendering import message_names, render
from notifications.samples import sample
from tests.browser.conftest import PHONE, shown
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.long
DESK = {"width": 1280, "height": 900}
TUESDAY = datetime(2027, 3, 2, 13, 0, tzinfo=UTC)


def receive(inbox: Inbox, name: TemplateName) -> None:
    """Sends one of Baton's messages to the inbox as the mail channel does."""
    letter = render(name, sample(name), key=f"made-up:{name}")
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "baton@demo.example", "ana@demo.example", letter.subject
    mail.set_content(letter.text)
    mail.add_alternative(letter.html, subtype="html")
    with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=PATIENCE_SECONDS) as client:
        client.send_message(mail)


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(folder=tmp_path, now=lambda: TUESDAY)


@pytest.mark.parametrize("window", [PHONE, DESK], ids=["phone", "desk"])
def test_every_message_is_shown_to_its_end(inbox: Inbox, new_page: Callable[..., Page], window: dict[str, int]) -> None:
    page, names, cut = new_page(viewport=window), message_names(), []
    with inbox:
        for name in names:
            receive(inbox, name)
        for number, name in enumerate(names, 1):
            page.goto(f"{inbox.url}/m/{number}")
            frame = page.frames[1]
            whole, seen = frame.evaluate("[document.documentElement.scrollHeight, window.innerHeight]")
            if whole > seen or seen > 2 * whole:
                cut.append((name, whole, seen))

    assert cut == []


def test_a_message_is_readable_in_the_dark(inbox: Inbox, new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="dark")
    with inbox:
        receive(inbox, "assigned")
        page.goto(f"{inbox.url}/m/1")

        shown(page, "inbox-message-dark")
