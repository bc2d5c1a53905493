"""Mail scanners over real HTTP, as they were seen in the wild: whatever they do, nothing changes, and the person who comes four
minutes later succeeds."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import select

from app.demo.browser import Page, Visitor
from app.demo.scanner import first_choices
from storage import handoffs
from storage.tables import Answer, AnswerState, Delivery, Device, Event, Handoff, MailedCode, Touch, Wait, Wake
from tests.app.stage import Stage, answer_form, path_of, press, send, stage, type_number
from tests.examples import spread
from tests.patience import PATIENCE_SECONDS

AGENTS = ("", "Go-http-client/1.1", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 HeadlessChrome/140.0")
#: All by which something would have changed. An answer that is held is none yet.
WATCHED = (Wait, Wake, Event, Delivery, Handoff, Touch, Device, MailedCode)


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def state_of(company: Stage) -> list[list[Any]]:
    """Everything that an answer would change, and the answers that count."""
    answers = company.box.read_now(lambda session, now: list(session.exec(select(Answer).where(Answer.state != AnswerState.HELD))))
    return [*(company.rows(table) for table in WATCHED), answers]


def person_succeeds(company: Stage) -> bool:
    """Whether the rep, in a new browser and four minutes later, can accept."""
    company.later(minutes=4)
    page = send(company.browser(), company.link, choice="accepted")
    counted = [one for one in company.answers() if one[2] == "counted"]
    return "Thank you" in page.text and counted == [("accepted", "ana", "counted")]


def look(company: Stage, method: str = "GET", agent: str = AGENTS[2], link: str = "") -> httpx.Response:
    """One request without cookies."""
    with company.browser(headers={"user-agent": agent}) as client:
        return client.request(method, link or company.link)


def head_then_get(company: Stage) -> None:
    assert look(company, "HEAD").status_code == 200
    look(company)


def get_twice_within_seconds(company: Stage) -> None:
    look(company)
    company.later(seconds=22)
    look(company)


def every_link_at_once(company: Stage) -> None:
    links = [company.link, f"{company.link}?done=1", f"{company.link}/undo", f"{company.link}/number", "/me", "/"]
    threads = [threading.Thread(target=look, args=(company,), kwargs={"link": link}) for link in links * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def odd_agents(company: Stage) -> None:
    for agent in AGENTS:
        for method in ("HEAD", "GET", "OPTIONS", "PUT", "DELETE"):
            look(company, method, agent)


def first_form_as_it_stands(company: Stage) -> None:
    with Visitor(AGENTS[2]) as scanner:
        page = scanner.open(company.url + company.link)
        scanner.submit(page, page.forms[0])


def first_form_with_the_first_choices(company: Stage) -> None:
    with Visitor(AGENTS[2]) as scanner:
        page = scanner.open(company.url + company.link)
        after = scanner.submit(page, page.forms[0], **first_choices(page.forms[0]))
        assert "Type the code from the message" in after.text, "it got as far as one can without the message"


def every_button_in_order(company: Stage) -> None:
    """Every choice of every form, and every form that comes of it, three pages deep."""

    def go_on(scanner: Visitor, page: Page, depth: int) -> None:
        for form in page.forms:
            for choice in form.choices.get("choice", [""]):
                chosen = {**first_choices(form), **({"choice": choice} if choice else {})}
                after = scanner.submit(page, form, **chosen)
                if depth:
                    go_on(scanner, after, depth - 1)

    with Visitor(AGENTS[2]) as scanner:
        go_on(scanner, scanner.open(company.url + company.link), 2)


def patient_and_with_every_button(company: Stage) -> None:
    """As slow as a person, and it types something everywhere."""
    with Visitor(AGENTS[2]) as scanner:
        page = scanner.open(company.url + company.link)
        company.later(seconds=40)
        after = scanner.submit(page, page.forms[0], **first_choices(page.forms[0]), text="test")
        company.later(seconds=40)
        for form in after.forms:
            wrong = "0000" if company.box.links.number(company.link.rpartition("/")[2]) != "0000" else "1111"
            scanner.submit(after, form, **first_choices(form), number=wrong)


def post_without_nonce_or_cookie(company: Stage) -> None:
    nonce = answer_form(look(company))[1]["nonce"]
    for data in ({"choice": "accepted"}, {"choice": "accepted", "nonce": nonce}):
        answer = httpx.post(company.url + company.link, data=data, trust_env=False, timeout=PATIENCE_SECONDS)
        assert answer.status_code == 403


def one_click_of_rfc_8058(company: Stage) -> None:
    answer = httpx.post(company.url + company.link, data={"List-Unsubscribe": "One-Click"}, trust_env=False, timeout=PATIENCE_SECONDS)
    assert answer.status_code == 403


def form_of_another_site(company: Stage) -> None:
    scanner = company.browser()
    action, hidden = answer_form(scanner.get(company.link))
    headers = {"sec-fetch-site": "cross-site", "origin": "https://scan.example", "referer": "https://scan.example/detonate"}
    assert scanner.post(action, data={**hidden, "choice": "accepted"}, headers=headers).status_code == 403


def through_a_rewritten_link(company: Stage) -> None:
    for host in ("https://eur01.safelinks.protection.outlook.com/", "https://urldefense.proofpoint.com/v2/url"):
        scanner = company.browser(headers={"referer": host, "user-agent": AGENTS[2]})
        press(scanner, company.link, choice="accepted")


def button_of_enrolment(company: Stage) -> None:
    scanner = company.browser()
    _, hidden = answer_form(scanner.get(company.link))
    scanner.post("/me/enrol", data={**hidden, "token": company.link.rpartition("/")[2]})
    scanner.post("/me/forget", data=hidden)
    scanner.post("/me/code", data={**hidden, "code": "123456"})


PROFILES = (
    head_then_get,
    get_twice_within_seconds,
    every_link_at_once,
    odd_agents,
    first_form_as_it_stands,
    first_form_with_the_first_choices,
    every_button_in_order,
    patient_and_with_every_button,
    post_without_nonce_or_cookie,
    one_click_of_rfc_8058,
    form_of_another_site,
    through_a_rewritten_link,
    button_of_enrolment,
)


@pytest.mark.parametrize("scan", spread(PROFILES, one_in=2), ids=lambda scan: scan.__name__)
def test_a_scanner_changes_nothing_and_the_person_succeeds(company: Stage, scan: Callable[[Stage], None]) -> None:
    before = state_of(company)

    scan(company)

    assert state_of(company) == before
    assert person_succeeds(company)


@pytest.mark.parametrize("scan", spread(PROFILES, one_in=2), ids=lambda scan: scan.__name__)
def test_a_scanner_that_comes_after_the_person_changes_nothing(company: Stage, scan: Callable[[Stage], None]) -> None:
    send(company.browser(), company.link, choice="accepted")
    company.open("outcome", holder="ana", events=("accepted", "attempted"))
    before = state_of(company)

    scan(company)

    assert state_of(company) == before


def test_all_profiles_at_once_change_nothing(company: Stage) -> None:
    before = state_of(company)
    for scan in PROFILES:
        scan(company)
    assert state_of(company) == before
    assert person_succeeds(company)


@pytest.mark.parametrize("after", ["the deadline", "the end", "a reassignment"])
def test_a_form_that_is_sent_again_after(company: Stage, after: str) -> None:
    scanner = company.browser()
    action, hidden = answer_form(scanner.get(company.link))
    if after == "the deadline":
        company.answer("deadline", by="baton", via="clock")
    elif after == "the end":
        company.do(lambda session, handoff, now: handoffs.move(session, handoff, "recycled", now=now, track="unworked"))
    else:
        colleague = company.give_to("ben", because="not answered in time")
    before = state_of(company)

    company.later(minutes=1)
    page = scanner.post(action, data={**hidden, "choice": "accepted"})

    assert page.status_code == 200
    assert "Your answer changed nothing" in page.text
    assert state_of(company) == before
    if after == "a reassignment":
        assert "Thank you" in send(company.browser(), colleague, choice="accepted").text


def test_both_links_of_one_message_change_nothing(company: Stage) -> None:
    """A manager is sent two: to what is to be decided, and to all that waits."""
    wait = company.open("decision", holder="maria", about="acceptance")
    own = path_of(company.box.links.for_person("maria", at=company.time.at))
    before = state_of(company)
    for link in (company.duty_link(wait, "maria"), own, f"{own}/{wait.id}"):
        with Visitor(AGENTS[2]) as scanner:
            page = scanner.open(company.url + link)
            for form in page.forms:
                scanner.submit(page, form, **first_choices(form))
    assert state_of(company) == before
    company.later(minutes=4)
    assert "Thank you" in send(company.browser(), company.duty_link(wait, "maria"), decision="nurture").text


def test_two_who_forward_one_message_act_as_its_addressee_once(company: Stage) -> None:
    first, second = company.browser(), company.browser()
    pages = [press(first, company.link, choice="accepted"), press(second, company.link, choice="rejected", reason="not-now")]
    assert [state for _, _, state in company.answers()] == ["held", "held"]
    assert "Thank you" in type_number(first, pages[0]).text
    assert "This was already answered" in type_number(second, pages[1]).text
    assert company.answers() == [("accepted", "ana", "counted"), ("rejected", "ana", "late")]


def test_looking_never_says_that_a_person_did(company: Stage) -> None:
    """The clock runs on: the wait is as it was, and nothing of it is in the trail."""
    (before,) = [wait for wait in company.rows(Wait) if wait.closed_at is None]
    for _ in range(60):
        look(company)
    (after,) = [wait for wait in company.rows(Wait) if wait.closed_at is None]
    assert (after.due_at, after.next_at, after.answer_id) == (before.due_at, before.next_at, None)
    assert not [event for event in company.rows(Event) if re.search("seen|look|sight", event.kind)]
