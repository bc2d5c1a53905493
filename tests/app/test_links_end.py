"""Links end: those that open more than one lead after 48 hours, all of a person when they are ended, and with the roster."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from notifications.links import DigestLink, Links
from storage import link_ends, roster
from storage.tables import Delivery
from tasks.background import personal_messages
from tasks.replies import new_links
from tests.app.stage import ROSTER, Stage, form_of, path_of, press_with_number, send, stage, words_of

DAY = "2026-12-01"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def digest(company: Stage, person: str = "ana") -> str:
    return path_of(company.box.links.for_digest(person, DAY, at=company.time.at))


def of_manager(company: Stage) -> str:
    return path_of(company.box.links.for_person("maria", at=company.time.at))


def disputable(company: Stage) -> str:
    return path_of(company.box.links.for_dispute(0, "mina", at=company.time.at))


@pytest.mark.parametrize("written", [digest, of_manager, disputable])
def test_a_link_that_opens_many_leads_acts_for_48_hours_and_then_says_that_it_is_over(
    company: Stage, written: Callable[[Stage], str]
) -> None:
    link = written(company)
    company.later(hours=47, minutes=59)
    assert company.browser().get(link).status_code == 200
    company.later(minutes=1)
    page = company.browser().get(link)

    assert page.status_code == 410
    assert "This link is over" in words_of(page)
    assert "Harbour" not in page.text
    assert "<form" not in page.text


def test_a_form_of_a_digest_that_is_over_saves_nothing(company: Stage) -> None:
    rep, link = company.browser(), digest(company)
    action, hidden = form_of(rep.get(link), -1)
    number = company.box.links.number(link.rpartition("/")[2])
    company.later(hours=48)
    page = rep.post(action, data={**hidden, "number": number, f"choice-{company.assignment_id}": "accepted"})

    assert page.status_code == 410
    assert company.answers() == []


def test_a_manager_answers_by_no_link_that_is_over(company: Stage) -> None:
    wait = company.open("decision", holder="maria", about="acceptance")
    boss, link = company.browser(), f"{of_manager(company)}/{wait.id}"
    action, hidden = form_of(boss.get(link))
    company.later(hours=48)

    assert boss.get(link).status_code == 410
    assert boss.post(action, data={**hidden, "choice": "decided", "decision": "nurture"}).status_code == 410
    assert company.answers() == []


@pytest.mark.parametrize("written", [lambda links: links.for_digest("ana", DAY), lambda links: links.for_person("maria")])
def test_a_link_from_before_links_said_when_they_were_written_is_over(company: Stage, written: Callable[[Links], str]) -> None:
    assert company.browser().get(path_of(written(company.box.links))).status_code == 410


def test_a_link_on_the_page_of_a_link_is_no_younger_than_that_one(company: Stage) -> None:
    link, written = digest(company), company.time.at
    company.later(hours=40)
    shown = re.findall(r'href="[^"]*/(?:l|m)/([^"/]+)', company.browser().get(link).text)
    page = company.browser().get(path_of(company.box.links.for_dispute(0, "mina", at=written)))
    listed = re.findall(r'href="[^"]*/q/([^"/]+)"', page.text)

    assert shown
    assert {company.box.links.read(token).at for token in shown} == {written}
    assert {company.box.links.read_to_dispute(token).at for token in listed} <= {written}


def leave(company: Stage, person: str) -> None:
    """Loads the roster without this person, and what names them."""
    lines = [line for line in ROSTER.splitlines() if not line.startswith((f"  {person}:", f"{'marketing' if person == 'mina' else '-'}:"))]
    text = "\n".join(lines) + ("\nmarketing: oscar\n" if person == "mina" else "")
    text = text.replace("manager: maria", "manager: ben") if person == "maria" else text
    company.box.write_now(lambda session, now: roster.load(session, text, now=now))


@pytest.mark.parametrize(
    ("person", "written"),
    [
        ("ana", lambda company: company.link),
        ("ana", digest),
        ("maria", of_manager),
        ("maria", lambda company: company.duty_link(company.open("decision", holder="maria", about="acceptance"), "maria")),
        ("mina", disputable),
    ],
)
def test_whoever_has_left_sees_nothing_and_answers_nothing(company: Stage, person: str, written: Callable[[Stage], str]) -> None:
    link = written(company)
    browser = company.browser()
    company.know(browser_at(browser, link), person, level="enrolled")
    before = browser.get(link)
    leave(company, person)
    page = browser.get(link)

    assert before.status_code == 200
    assert page.status_code == 404
    assert "This link does not work" in words_of(page)
    assert "Harbour" not in page.text
    if "<form" in before.text:
        action, hidden = form_of(before, -1)
        assert browser.post(action, data={**hidden, "choice": "accepted", "decision": "nurture"}).status_code == 404
    assert company.answers() == []
    assert "Harbour" not in browser.get("/me").text


def browser_at(browser: httpx.Client, link: str) -> httpx.Client:
    browser.get(link)
    return browser


def test_links_of_a_person_are_ended_and_those_written_later_work(company: Stage) -> None:
    rep, before = company.browser(), {"lead": company.link, "digest": digest(company)}
    send(rep, company.link, choice="accepted")
    company.open("first_attempt", holder="ana", events=("accepted",))
    company.later(minutes=1)
    company.box.write_now(lambda session, now: new_links.send(session, "ana", by="operator", quiet=False, now=now))

    for link in before.values():
        assert rep.get(link).status_code == 410
        assert company.browser().get(link).status_code == 410
    company.later(minutes=1)
    row = next(row for row in company.rows(Delivery) if row.message == "links-ended")
    letter = company.box.read_now(
        lambda session, now: personal_messages.draft_of(session, company.box, row, now=now).written(company.box.templates)
    )
    assert letter.to.id == "ana"
    assert isinstance(company.box.links.read_digest(letter.link.rpartition("/")[2]), DigestLink)
    assert f"Your code: {company.box.links.number(letter.link.rpartition('/')[2])}" in letter.text
    page = press_with_number(company.browser(), path_of(letter.link), **{f"choice-{company.assignment_id}": "attempted"})
    assert "Saved: 1 answer." in words_of(page)


def test_the_links_of_others_go_on(company: Stage) -> None:
    company.box.write_now(lambda session, now: link_ends.end(session, "ben", now=now))

    assert company.browser().get(company.link).status_code == 200


def test_a_form_that_was_shown_before_the_links_were_ended_answers_nothing(company: Stage) -> None:
    rep = company.know(_visited(company))
    action, hidden = form_of(rep.get(company.link))
    company.later(seconds=10)
    company.box.write_now(lambda session, now: link_ends.end(session, "ana", now=now))

    assert rep.post(action, data={**hidden, "choice": "accepted"}).status_code == 410
    assert company.answers() == []


def _visited(company: Stage) -> httpx.Client:
    rep = company.browser()
    rep.get(company.link)
    return rep
