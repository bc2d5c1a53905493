"""The pages in the documentation's pictures: the agreement of the README leads to them, and no lead in them plays a trick."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Page, expect
from sqlmodel import Session

from agreements.words import ChannelName, GivenAnswer
from app.audit.page import page as audit_page
from app.backtest.page import page as backtest_page
from app.demo.inbox.pages import PageServer
from app.review.page import page as review_page
from app.web.site import create_site
from notifications.channels.crm import CrmChannel
from notifications.letter import Channel
from notifications.links import Links
from storage import contracts, roster
from storage.crm.local import LocalCrm
from storage.database import Database
from tasks.wiring import toolbox
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.audit.ground import example_audit
from tests.app.backtest.example import example_backtest
from tests.app.review.example import example_review
from tests.browser.conftest import PHONE, press, shown
from tests.driver import Driver
from tests.fakes import KeepingChannel
from tests.stage import Taken, answer_by_link, capture, kept_by

pytestmark = pytest.mark.long

README = Path(__file__).resolve().parents[2] / "README.md"
ROSTER = """
teams: {emea: {manager: maria}}
marketing: mina
operator: oscar
people:
  ana: {name: Ana Silva, email: ana@northgate.example, team: emea, timezone: Europe/London}
  dora: {name: Dora Lind, email: dora@northgate.example, role: rep, timezone: Europe/London}
  maria: {name: Maria Keller, email: maria@northgate.example, role: manager, team: emea, timezone: Europe/London}
  mina: {name: Mina Okoro, email: mina@northgate.example, role: marketing, timezone: Europe/London}
  oscar: {name: Oscar Reyes, email: oscar@northgate.example, role: operator, timezone: Europe/London}
"""
PEOPLE = (
    ("Harbour & Sons", "Lee", "O'Hara", "+44 20 7946 0177"),
    ("Alder Freight", "Noor", "Haddad", "+44 20 7946 0112"),
    ("Northwind Rail", "Jan", "de Vries", "+44 20 7946 0150"),
)


@dataclass
class Company:
    """A company under the README's agreement, with Ana as the one rep of her team."""

    box: Toolbox
    time: SteppedTime
    driver: Driver

    def settle(self) -> None:
        """Does all that is due now. In a thread of its own, for Chromium keeps this one's event loop."""
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: asyncio.run(self.driver.settle())).result()

    def take_in(self, number: int) -> Taken:
        """Takes in a demo request, and leads it to Ana."""
        company, first, last, phone = PEOPLE[number]
        words = {"message": "We lose leads between two tools.\nPlease call after lunch."} if number == 0 else {}
        email = f"{first}@{company.partition(' ')[0]}.example".lower()
        lead = capture(self.box, company=company, first_name=first, last_name=last, phone=phone, email=email, **words)
        self.settle()
        return lead

    def say(self, lead: Taken, choice: GivenAnswer) -> None:
        """Ana answers, and what follows is done."""
        answer_by_link(self.box, lead, choice)
        self.settle()


@pytest.fixture
def company(database: Database, tmp_path: Path) -> Iterator[Company]:
    """The company, with its pages served."""
    listener = socket.create_server(("127.0.0.1", 0))
    time = SteppedTime(datetime.fromisoformat("2027-02-01T09:00:00+00:00"))
    crm = LocalCrm(tmp_path / "crm.db")
    channels: dict[ChannelName, Channel] = {"email": KeepingChannel("email"), "crm": CrmChannel(crm)}
    links = Links(["a-key-for-tests-only"], f"http://127.0.0.1:{listener.getsockname()[1]}")
    settings = Settings(home=tmp_path / "home", undo_minutes=0, crm_poll_seconds=0.0001)
    box = Toolbox(settings, database, crm, channels, links, time)
    made = Company(box, time, Driver(box, time))
    toolbox.use(box)
    box.write_now(put_in_force)
    server = PageServer(create_site(box, real_time=lambda: time.at.timestamp()), listener)
    server.start()
    yield made
    server.stop()
    listener.close()
    toolbox.use(None)


def put_in_force(session: Session, now: datetime) -> None:
    """Loads the people, and puts the README's agreement in force."""
    roster.load(session, ROSTER, now=now)
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    row = contracts.publish(session, text, now=now)
    contracts.sign(session, row, contracts.NewSignature("marketing", "Mina Okoro", "cli"), now=now)
    contracts.sign(session, row, contracts.NewSignature("sales", "Maria Keller", "cli"), now=now)
    contracts.mark_deployed(session, row, deployment_id="", now=now)


def picture_until(page: Page, last: str, name: str) -> None:
    """Takes a picture of the page from its top to the end of that part."""
    folder, box = os.environ.get("BATON_PICTURES", ""), page.locator(last).bounding_box()
    assert box is not None
    if folder:
        clip: FloatRect = {"x": 0, "y": 0, "width": PHONE["width"], "height": box["y"] + box["height"] + box["x"]}
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, clip=clip)


def test_the_agreement_of_the_readme_leads_to_the_page_beside_it(company: Company, page: Page) -> None:
    company.take_in(0)
    (letter,) = kept_by(company.box, "email").letters

    page.goto(letter.link)
    expect(page.get_by_role("heading", name="Harbour & Sons")).to_be_visible()
    expect(page.get_by_text("30 working minutes").first).to_be_visible()
    shown(page, "answer-open")
    picture_until(page, "#answer", "phone")

    page.locator("input[name=choice][value=accepted]").check()
    press(page.locator("#answer button[type=submit]").last)
    expect(page.locator("#number_form")).to_be_visible()
    shown(page, "answer-number")


def test_a_morning_has_one_page_with_all_that_waits(company: Company, page: Page) -> None:
    first, second, third = (company.take_in(number) for number in range(3))
    company.say(second, "accepted")
    company.say(third, "accepted")
    company.say(third, "connected")
    company.time.at += timedelta(minutes=5)

    page.goto(company.box.links.for_digest("ana", "2027-02-01", at=company.time.at))
    for name, _, _, _ in PEOPLE:
        expect(page.get_by_role("group", name=name)).to_be_visible()
    page.get_by_role("group", name=PEOPLE[0][0]).locator("input[type=radio][value=accepted]").check()
    shown(page, "digest")


@pytest.mark.parametrize("width", [390, 1040])
def test_the_example_of_an_audit_is_one_page_at_each_width(page: Page, tmp_path: Path, width: int) -> None:
    html = tmp_path / "audit.html"
    html.write_text(audit_page(example_audit(drafted=True)), encoding="utf-8")

    page.set_viewport_size({"width": width, "height": 800})
    page.goto(html.as_uri())
    expect(page.get_by_role("heading", name="How leads are handed over today")).to_be_visible()
    shown(page)

    folder, last = os.environ.get("BATON_PICTURES", ""), page.locator("section").nth(3).bounding_box()
    assert last is not None
    if folder and width > 1000:
        clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": last["y"] + last["height"]}
        page.screenshot(path=Path(folder) / "audit.png", full_page=True, clip=clip)


@pytest.mark.parametrize("width", [375, 1280])
def test_a_review_is_one_page_at_each_width(page: Page, tmp_path: Path, width: int) -> None:
    html = tmp_path / "review.html"
    html.write_text(review_page(example_review()), encoding="utf-8")

    page.set_viewport_size({"width": width, "height": 800})
    page.goto(html.as_uri())
    expect(page.get_by_role("heading", name="What marketing and sales kept")).to_be_visible()
    shown(page)

    if width > 1000:
        picture(page, ".sheet", "review-desk")
        picture(page, "section:has(h2:text-is('What was promised and kept')) .chart", "review-promises", top=True)
        picture(page, "section:has(h2:text-is('From an MQL to a win')) .chart", "review-win", top=True)
    else:
        picture(page, ".sheet", "review-phone")


def test_a_backtest_shows_where_the_leads_would_go(page: Page, tmp_path: Path) -> None:
    html = tmp_path / "backtest.html"
    html.write_text(backtest_page(example_backtest()), encoding="utf-8")

    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(html.as_uri())
    expect(page.get_by_role("heading", name="Where leads would go")).to_be_visible()
    shown(page)

    picture(page, "section:has(h2:text-is('Where leads would go')) .wide >> nth=1", "backtest-routing", top=True)


def picture(page: Page, last: str, name: str, *, top: bool = False) -> None:
    """Take a picture of the whole page to the end of that part, or from the top of the section in which the part is."""
    folder, part = os.environ.get("BATON_PICTURES", ""), page.locator(last).first
    box, size = part.bounding_box(), page.viewport_size
    begin = part.locator("xpath=ancestor::section").bounding_box() if top else None
    assert box is not None
    assert size is not None
    if folder:
        y = begin["y"] - 8 if begin else 0
        clip: FloatRect = {"x": 0, "y": y, "width": size["width"], "height": box["y"] + box["height"] + 12 - y}
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True, clip=clip)
