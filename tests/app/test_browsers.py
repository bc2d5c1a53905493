"""Browsers: each promotion brings another cookie, so that nobody gains by a planted or copied one; after 90 days it is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.web.callers import DEVICE_COOKIE
from storage import devices
from storage.tables import Answer, Device, Level
from tests.app.stage import Stage, answer_form, form_of, press, press_with_number, send, stage, type_number, words_of
from tests.app.test_own_pages import ask, mailed_code, type_code

PLANTED = "planted-by-somebody-else-0123456789"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def planted(company: Stage, cookie: str = PLANTED) -> httpx.Client:
    browser = company.browser()
    browser.cookies.set(DEVICE_COOKIE, cookie, domain="127.0.0.1")
    return browser


def level(company: Stage, cookie: str, person: str = "ana") -> str:
    return company.box.read_now(lambda session, now: devices.level(session, devices.hash_of(cookie), person, now=now))


def test_a_planted_cookie_is_worth_nothing_once_the_person_has_typed_the_number(company: Stage) -> None:
    victim, attacker = planted(company), planted(company)
    send(victim, company.link, choice="accepted")

    assert level(company, PLANTED) == ""
    assert level(company, victim.cookies[DEVICE_COOKIE]) == "known"
    assert victim.cookies[DEVICE_COOKIE] != PLANTED
    company.open("first_attempt", holder="ana", events=("accepted",))
    assert "Type the code from the message" in press(attacker, company.link, choice="attempted").text
    assert [row for row in company.answers() if row[2] == "counted"] == [("accepted", "ana", "counted")]


def test_a_planted_cookie_is_worth_nothing_after_a_digest_was_answered(company: Stage) -> None:
    victim = planted(company)
    link = company.box.links.for_digest("ana", "2026-12-01", at=company.time.at).removeprefix("http://baton.example")
    page = press_with_number(victim, link, **{f"choice-{company.assignment_id}": "accepted"})

    assert "Saved: 1 answer." in words_of(page)
    assert (level(company, PLANTED), level(company, victim.cookies[DEVICE_COOKIE])) == ("", "known")


def test_enrolment_brings_another_cookie_too(company: Stage) -> None:
    rep = company.browser()
    send(rep, company.link, choice="accepted")
    known = rep.cookies[DEVICE_COOKIE]
    type_code(rep, ask(company, rep), mailed_code(company))

    assert level(company, known) == ""
    assert level(company, rep.cookies[DEVICE_COOKIE]) == "enrolled"


def test_what_was_held_in_the_browser_and_what_may_be_undone_goes_on_under_the_new_cookie(company: Stage) -> None:
    rep = company.browser()
    page = type_number(rep, press(rep, company.link, choice="rejected", reason="not-now"))

    (row,) = company.rows(Answer)
    assert row.device == devices.hash_of(rep.cookies[DEVICE_COOKIE])
    action, hidden = form_of(page)
    assert "Taken back" in rep.post(action, data=hidden).text


def test_a_form_in_another_tab_that_was_shown_before_is_taken_still(company: Stage) -> None:
    rep = company.browser()
    other = answer_form(rep.get(company.link))
    send(rep, company.link, choice="accepted")
    company.open("first_attempt", holder="ana", events=("accepted",))
    company.later(minutes=1)
    page = rep.post(other[0], data={**other[1], "choice": "rejected", "reason": "not-now"})

    assert page.status_code == 200
    assert "already answered" in page.text


def test_a_form_that_was_shown_for_the_old_cookie_afterwards_is_none_of_this_browser(company: Stage) -> None:
    """The nonce of whoever planted the cookie is of no use in the browser that has another one now."""
    victim, attacker = planted(company), planted(company)
    send(victim, company.link, choice="accepted")
    company.open("first_attempt", holder="ana", events=("accepted",))
    company.later(minutes=1)
    action, hidden = answer_form(attacker.get(company.link))
    company.later(minutes=1)

    assert victim.post(action, data={**hidden, "choice": "attempted"}).status_code == 403


def test_a_browser_that_is_known_keeps_its_cookie(company: Stage) -> None:
    rep = company.browser()
    send(rep, company.link, choice="accepted")
    cookie = rep.cookies[DEVICE_COOKIE]
    company.open("first_attempt", holder="ana", events=("accepted",))
    send(rep, company.link, choice="attempted")

    assert rep.cookies[DEVICE_COOKIE] == cookie
    assert len(company.rows(Device)) == 1


@pytest.mark.parametrize("was", ["known", "enrolled"])
def test_after_90_days_the_number_is_asked_for_again(company: Stage, was: Level) -> None:
    rep = company.browser()
    rep.get(company.link)
    company.know(rep, level=was)
    cookie = rep.cookies[DEVICE_COOKIE]
    company.later(days=89, hours=23)
    assert level(company, cookie) == was
    company.later(hours=1)

    assert level(company, cookie) == ""
    send(rep, company.link, choice="accepted")
    assert level(company, rep.cookies[DEVICE_COOKIE]) == "known", "a number enrols nobody"


def test_under_https_the_cookie_cannot_be_planted_by_another_host(tmp_path: Path) -> None:
    with stage(tmp_path, web_url="https://baton.example") as company:
        answer = planted(company).get(company.link)
        given = answer.headers["set-cookie"]

        assert given.startswith("__Host-baton_device=")
        assert {"Secure", "HttpOnly", "Path=/", "Max-Age=7776000"} <= {part.strip() for part in given.split(";")}
        assert "domain" not in given.lower()
