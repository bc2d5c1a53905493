"""Whoever guesses at the numbers of one person is stopped, whatever links and browsers they use, and the person goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select

from storage import roster
from storage.tables import Answer, Delivery, Device, Event, MailedCode, WrongNumber
from tasks.background import personal_messages
from tasks.replies import mailed_codes, number_check
from tasks.replies.opened_link import OpenedLink
from tests.app.stage import NOW, Stage, answer_form, form_of, number_of, path_of, press, stage, type_number, words_of


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def wrong_for(company: Stage, link: str = "") -> str:
    return f"{(int(number_of(link or company.link)) + 1) % 10_000:04}"


def guess(company: Stage, times: int) -> None:
    """Wrong codes from as many browsers, behind a lead's link, the digest's and the person's own page in turns."""
    digest = company.box.links.for_digest("ana", "2026-12-01", at=company.time.at)
    tokens = [path_of(url).rpartition("/")[2] for url in (digest, company.link)]

    def work(session: Session, now: object) -> None:
        for number in range(times):
            token = tokens[number % 2]
            typed = f"{(int(company.box.links.number(token)) + 1) % 10_000:04}"
            number_check.check(session, OpenedLink(company.box, token), "ana", typed, device=f"device {number}", kept="it", now=NOW)

    company.box.write_now(work)


def mailed(company: Stage, person: str) -> list[str]:
    """The codes in the letters to that person about guessing, "" for a letter without one."""

    def read(session: Session, now: object) -> list[str]:
        rows = session.exec(select(Delivery).where(Delivery.message == mailed_codes.MESSAGE, Delivery.person == person)).all()
        texts = [personal_messages.draft_of(session, company.box, row, now=NOW).written(company.box.templates).text for row in rows]
        return [found.group() if (found := re.search(r"^\d{6}$", text, re.MULTILINE)) else "" for text in texts]

    return company.box.read_now(read)


def test_of_five_thousand_guesses_twenty_are_looked_at(company: Stage) -> None:
    token = company.link.rpartition("/")[2]
    right = company.box.links.number(token)
    taken: list[int] = []

    def work(session: Session, now: object) -> None:
        for number in range(5_000):
            typed = f"{number:04}" if number != int(right) else right
            typed = right if number > 20 else wrong_for(company)
            if not number_check.check(session, OpenedLink(company.box, token), "ana", typed, device=f"device {number}", kept="it", now=NOW):
                taken.append(number)

    company.box.write_now(work)

    assert taken == []
    assert len(company.rows(WrongNumber)) == 20


def test_the_person_goes_on_in_a_browser_that_is_known(company: Stage) -> None:
    guess(company, 100)
    own = company.know(company.browser())
    action, hidden = answer_form(own.get(company.link))
    company.later(seconds=5)

    assert "Thank you" in own.post(action, data={**hidden, "choice": "accepted"}).text
    assert company.answers() == [("accepted", "ana", "counted")]


def test_in_a_browser_that_is_known_the_number_counts_too(company: Stage) -> None:
    """It is asked for there where a page was answered faster than anybody reads."""
    guess(company, 100)
    own = company.know(company.browser())

    assert "Thank you" in type_number(own, press(own, company.link, choice="accepted")).text


def test_in_a_new_browser_the_mailed_code_stands_for_the_number(company: Stage) -> None:
    guess(company, 20)
    [code] = mailed(company, "ana")
    new = company.browser()
    page = press(new, company.link, choice="accepted")
    refused = type_number(new, page)

    assert "We sent a six-digit code to your own e-mail address" in words_of(refused)
    assert company.answers() == [("accepted", "ana", "held")]

    assert "Thank you" in type_number(new, refused, code).text
    assert company.answers() == [("accepted", "ana", "counted")]
    assert [row.level for row in company.rows(Device)] == ["known"]


def test_a_code_is_good_once_and_the_next_one_is_mailed_when_it_is_needed(company: Stage) -> None:
    guess(company, 20)
    [code] = mailed(company, "ana")
    token = company.link.rpartition("/")[2]

    def typed(digits: str, device: str) -> str:
        return company.box.write_now(
            lambda s, now: number_check.check(s, OpenedLink(company.box, token), "ana", digits, device=device, kept="it", now=NOW)
        )

    assert typed(code, "one") == ""
    assert "That is not the code" in typed(code, "two")
    assert len(mailed(company, "ana")) == 2
    assert typed(mailed(company, "ana")[-1], "three") == ""


def test_of_a_code_only_so_many_guesses_are_looked_at(company: Stage) -> None:
    guess(company, 20)
    token = company.link.rpartition("/")[2]

    def work(session: Session, now: object) -> None:
        for number in range(2_000):
            digits = f"{number:06}"
            if any(company.box.links.is_code(f"device {ident}", digits) for ident in (1, 2, 3)):
                continue
            assert number_check.check(session, OpenedLink(company.box, token), "ana", digits, device=f"d{number}", kept="it", now=NOW)

    company.box.write_now(work)

    assert [row.tries for row in company.rows(MailedCode)] == [mailed_codes.GUESSES] * mailed_codes.CODES_AN_HOUR
    own = company.know(company.browser())
    assert "Thank you" in type_number(own, press(own, company.link, choice="accepted")).text


def test_one_browser_guesses_at_a_code_only_a_few_times(company: Stage) -> None:
    guess(company, 20)
    [code] = mailed(company, "ana")
    token, wrong = company.link.rpartition("/")[2], f"{(int(code) + 1) % 1_000_000:06}"

    def typed(digits: str) -> str:
        return company.box.write_now(
            lambda s, now: number_check.check(s, OpenedLink(company.box, token), "ana", digits, device="one", kept="it", now=NOW)
        )

    for _ in range(mailed_codes.GUESSES_OF_BROWSER):
        assert "That is not the code" in typed(wrong)
    assert "too many wrong codes" in typed(code)


def test_the_person_and_operations_are_told_once(company: Stage) -> None:
    guess(company, 200)

    assert len(mailed(company, "ana")) == 1
    assert mailed(company, company.box.read_now(lambda session, now: roster.current(session).operator)) == [""]
    assert [row.data["person"] for row in company.rows(Event) if row.kind == "number-guessed"] == ["ana"]


def test_after_an_hour_the_number_counts_again(company: Stage) -> None:
    guess(company, 20)
    company.later(minutes=61)
    new = company.browser()

    assert "Thank you" in type_number(new, press(new, company.link, choice="accepted")).text


def test_wrong_numbers_for_one_person_do_not_keep_out_another(company: Stage) -> None:
    guess(company, 100)
    wait = company.open("decision", holder="maria", about="acceptance")
    link = company.duty_link(wait, "maria")
    manager = company.browser()
    action, hidden = answer_form(manager.get(link))
    page = manager.post(action, data={**hidden, "choice": "decided", "decision": "nurture"})
    assert form_of(page)

    assert "Thank you" in type_number(manager, page, company.box.links.number(link.rpartition("/")[2])).text
    assert [row.by for row in company.rows(Answer) if row.state == "counted"] == ["maria"]


def test_a_held_answer_is_guessed_at_no_better(company: Stage) -> None:
    """The number under a held answer is the same door."""
    for _ in range(6):
        browser: httpx.Client = company.browser()
        page = press(browser, company.link, choice="accepted")
        for _ in range(4):
            page = type_number(browser, page, wrong_for(company))

    assert len(company.rows(WrongNumber)) == 20
    assert {state for _, _, state in company.answers()} == {"held"}
