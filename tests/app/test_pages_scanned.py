"""Mail scanners on the pages of a digest, of a dispute, and of a manager, over real HTTP: they press everything, nothing changes,
and the person who comes four minutes later succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.demo.browser import Page, Visitor
from app.demo.scanner import Scanner, filled_in, first_choices
from storage import devices
from storage.tables import Answer, Device, Dispute, PageView
from tests.app.stage import Stage, form_of, number_of, path_of, press_with_number, stage, words_of
from tests.app.test_dispute_page import give_back
from tests.app.test_dispute_page import link as dispute_link
from tests.app.test_scanners import AGENTS
from tests.examples import spread
from tests.patience import PATIENCE_SECONDS


@dataclass(frozen=True)
class Door:
    """A page behind a link. said: what its person fills in; counted: whether that counts; of: whose it is."""

    company: Stage
    link: str
    of: str
    said: dict[str, str]
    counted: Callable[[], bool]

    def state(self) -> dict[str, Any]:
        """Everything in the database, but who looked and how many numbers were wrong."""
        return {name: rows for name, rows in self.company.snapshot().items() if name != "wrong_numbers"}

    def press(self, browser: httpx.Client, **more: str) -> httpx.Response:
        """Fills in what its person says, without the number, and sends it."""
        action, hidden = form_of(browser.get(self.link), -1)
        return browser.post(action, data={**hidden, **self.said, **more})


def digest_door(company: Stage) -> Door:
    link = path_of(company.box.links.for_digest("ana", "2026-12-01", at=company.time.at))
    said = {f"choice-{company.assignment_id}": "accepted"}
    return Door(company, link, "ana", said, lambda: company.answers() == [("accepted", "ana", "counted")])


def raising_door(company: Stage) -> Door:
    give_back(company)
    said = {"choice": "dispute", "text": "They asked for it."}
    return Door(company, dispute_link(company, "mina"), "mina", said, lambda: [row.raised_by for row in company.rows(Dispute)] == ["mina"])


def deciding_door(company: Stage) -> Door:
    raising = raising_door(company)
    press_with_number(company.browser(), raising.link, **raising.said)
    link, said = dispute_link(company, "maria"), {"choice": "overturned"}
    return Door(company, link, "maria", said, lambda: [row.decided_by for row in company.rows(Dispute)] == ["maria"])


DOORS = {"the digest": digest_door, "raising a dispute": raising_door, "deciding a dispute": deciding_door}


@pytest.fixture(params=DOORS)
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    with stage(tmp_path) as company:
        yield DOORS[request.param](company)


def looks(door: Door) -> None:
    for agent in AGENTS:
        for method in ("HEAD", "GET", "OPTIONS", "PUT", "DELETE"):
            httpx.request(method, door.company.url + door.link, headers={"user-agent": agent}, trust_env=False, timeout=PATIENCE_SECONDS)


def as_it_stands(door: Door) -> None:
    with Visitor(AGENTS[2]) as scanner:
        page = scanner.open(door.company.url + door.link)
        scanner.submit(page, page.forms[0])


def with_the_first_choices(door: Door) -> None:
    with Visitor(AGENTS[2]) as scanner:
        page = scanner.open(door.company.url + door.link)
        after = scanner.submit(page, page.forms[0], **first_choices(page.forms[0]), text="test")
        assert "Please type the code from the message." in after.text, "it got as far as one can without the message"


def every_button_in_order(door: Door) -> None:
    """Every choice, three pages deep, as patient as a person, and with something in every field."""

    def go_on(scanner: Visitor, page: Page, depth: int) -> None:
        for form in page.forms:
            names = [name for name in form.choices if name.startswith("choice")] or [""]
            for name in names:
                for choice in form.choices.get(name, [""]):
                    door.company.later(seconds=1)
                    after = scanner.submit(page, form, **{**filled_in(form), **({name: choice} if name else {})})
                    if depth:
                        go_on(scanner, after, depth - 1)

    with Visitor(AGENTS[2]) as scanner:
        go_on(scanner, scanner.open(door.company.url + door.link), 1)


def post_without_nonce_or_cookie(door: Door) -> None:
    nonce = form_of(httpx.get(door.company.url + door.link, trust_env=False, timeout=PATIENCE_SECONDS), -1)[1]["nonce"]
    for data in (door.said, {**door.said, "nonce": nonce}, {"List-Unsubscribe": "One-Click"}):
        assert httpx.post(door.company.url + door.link, data=data, trust_env=False, timeout=PATIENCE_SECONDS).status_code == 403


def form_of_another_site(door: Door) -> None:
    headers = {"sec-fetch-site": "cross-site", "origin": "https://scan.example"}
    assert door.press(door.company.browser(headers=headers)).status_code == 403


def the_demos_scanner(door: Door) -> None:
    scanner = Scanner()
    with Visitor(AGENTS[2]) as visitor:
        scanner.press(visitor, door.company.url + door.link)
    assert (scanner.changes, scanner.requests > 2) == (0, True)


PROFILES = (
    looks,
    as_it_stands,
    with_the_first_choices,
    every_button_in_order,
    post_without_nonce_or_cookie,
    form_of_another_site,
    the_demos_scanner,
)


@pytest.mark.parametrize("scan", spread(PROFILES, one_in=2), ids=lambda scan: scan.__name__)
def test_a_scanner_changes_nothing_and_the_person_succeeds(door: Door, scan: Callable[[Door], None]) -> None:
    before = door.state()

    scan(door)

    assert door.state() == before
    door.company.later(minutes=4)
    person = door.company.browser()
    assert press_with_number(person, door.link, **door.said).status_code == 200
    assert door.counted()


def test_without_the_number_everything_that_was_typed_is_kept(door: Door) -> None:
    browser, before = door.company.browser(), door.state()

    page = door.press(browser, text="Kept words")

    assert page.status_code == 422
    assert "Please type the code from the message." in words_of(page)
    assert page.text.count(" checked") == (0 if door.said.get("choice") == "dispute" else 1)
    assert ("Kept words" in page.text) == ("choice" in door.said)
    assert door.state() == before


def test_the_right_number_is_asked_for_once_per_browser(door: Door) -> None:
    browser = door.company.browser()
    door.press(browser)
    assert 'name="number"' in browser.get(door.link).text

    assert press_with_number(browser, door.link, **door.said).status_code == 200

    assert door.counted()
    assert 'name="number"' not in browser.get(door.link).text
    assert [(row.person, row.level) for row in door.company.rows(Device)][-1] == (door.of, "known")


def test_a_known_browser_is_asked_only_when_it_is_faster_than_a_person(door: Door) -> None:
    browser = door.company.know(door.company.browser(), door.of)
    quick = door.press(browser)
    assert "Please type the code from the message." in words_of(quick)
    assert 'name="number"' in quick.text
    action, hidden = form_of(quick, -1)
    door.company.later(seconds=3)

    assert browser.post(action, data={**hidden, **door.said}).status_code == 200

    assert door.counted()


def test_an_enrolled_browser_is_never_asked(door: Door) -> None:
    browser = door.company.know(door.company.browser(), door.of, level=devices.ENROLLED)

    assert door.press(browser).status_code == 200

    assert door.counted()


def test_five_wrong_numbers_an_hour_and_not_even_the_right_one_is_taken(door: Door) -> None:
    browser, right = door.company.browser(), number_of(door.link)
    wrong = "0000" if right != "0000" else "1111"
    for _ in range(5):
        assert "That is not the code from the message." in words_of(door.press(browser, number=wrong))
        door.company.later(minutes=1)

    page = door.press(browser, number=right)

    assert "too many wrong codes. Please try again in 55 minutes. We keep what you typed." in words_of(page)
    assert not door.counted()
    assert press_with_number(door.company.browser(), door.link, **door.said).status_code == 200, "another browser is not kept waiting"
    assert door.counted()


def test_after_an_hour_the_right_number_is_taken_again(door: Door) -> None:
    browser, right = door.company.browser(), number_of(door.link)
    for _ in range(6):
        door.press(browser, number="12")
    door.company.later(minutes=61)

    assert door.press(browser, number=right).status_code == 200

    assert door.counted()


def test_who_saved_something_was_seen_and_who_only_looked_is_not_said_to_be_a_person(door: Door) -> None:
    before = len(door.company.rows(PageView))
    press_with_number(door.company.browser(), door.link, **door.said)

    seen = door.company.rows(PageView)[before:]
    assert (seen[-1].what, seen[-1].person, seen[-1].device) == ("looked" if "choice" in door.said else "sent", door.of, "known")
    assert ("sent", door.of) in [(row.what, row.person) for row in seen]
    assert {row.handoff_id for row in seen} == {door.company.handoff_id}


def test_the_demos_scanner_sees_it_when_something_was_taken(door: Door) -> None:
    """Its zero means something: in a browser of the person themselves it counts what it changed."""
    browser = door.company.know(door.company.browser(), door.of, level=devices.ENROLLED)
    scanner = Scanner()
    with Visitor(AGENTS[2]) as visitor:
        visitor.become(browser.cookies["baton_device"])
        scanner.press(visitor, door.company.url + door.link)

    assert scanner.changes > 0
    assert len(door.company.rows(Answer)) + len(door.company.rows(Dispute)) > 0
