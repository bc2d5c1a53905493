"""The page of one lead for marketing and managers: who may open it, and whose names it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from agreements.words import NoWord
from storage.tables import Level, MailedCode
from tasks.replies import enrolment
from tests.app.stage import NOW, Stage, form_of, path_of, stage
from tests.app.test_links_end import leave
from tests.app.test_overview_page import LEE
from tests.app.test_own_pages import form_to


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


def opened(company: Stage, person: str, number: int | str, *, known: bool = True) -> httpx.Response:
    browser = company.browser()
    if known:
        company.know(browser, person)
    return browser.get(f"{path_of(company.box.links.for_person(person, at=NOW))}/leads/{number}")


@pytest.mark.parametrize("person", ["mina", "maria"])
def test_marketing_and_the_manager_see_what_happened_to_a_lead(company: Stage, person: str) -> None:
    company.later(minutes=5)

    page = opened(company, person, 1)

    assert page.status_code == 200
    assert LEE in page.text
    assert "Ana Silva" in page.text
    assert "Where the time went" in page.text
    assert "What happened so far" in page.text


def test_a_browser_that_is_not_known_sees_no_name_and_no_history(company: Stage) -> None:
    page = opened(company, "mina", 1, known=False)

    assert page.status_code == 200
    assert "Names are hidden in this browser" in page.text
    assert not [one for one in ("Hara", "Harbour", "What happened so far") if one in page.text]


@pytest.mark.parametrize(("person", "number"), [("mina", 99), ("mina", "x"), ("ana", 1), ("mina", 10**30)])
def test_a_lead_that_is_not_there_and_a_reader_who_oversees_nobody_get_no_page(company: Stage, person: str, number: int | str) -> None:
    assert opened(company, person, number).status_code == 404


@pytest.mark.parametrize("person", ["mina", "maria"])
def test_the_address_that_is_the_same_for_everybody_leads_to_the_lead_in_the_readers_own_browser(company: Stage, person: str) -> None:
    own = company.know(company.browser(), person, level="enrolled")

    page = own.get("/me/leads/1")

    assert page.status_code == 200
    assert path_of(str(page.url)) == f"{path_of(company.box.links.for_person(person, at=NOW))}/leads/1"
    assert LEE in page.text


@pytest.mark.parametrize(
    ("person", "level", "number"),
    [("", "", 1), ("mina", "known", 1), ("ana", "enrolled", 1), ("ben", "enrolled", 1), ("mina", "enrolled", 99)],
    ids=["nobody's browser", "only known", "the rep's", "another rep's", "no such lead"],
)
def test_that_address_gives_nobody_else_anything(company: Stage, person: str, level: Level | NoWord, number: int) -> None:
    browser, before = company.browser(), company.snapshot()
    if level:
        company.know(browser, person, level=level)
        before = company.snapshot()

    page = browser.get(f"/me/leads/{number}")

    assert page.status_code == 403
    assert page.text == company.browser().get(f"/me/leads/{number}").text, "nobody learns whether there is such a lead"
    assert "/m/" not in page.text
    assert company.snapshot() == before


def test_somebody_who_left_gets_no_link_in_a_browser_that_was_remembered(company: Stage) -> None:
    own = company.know(company.browser(), "mina", level="enrolled")
    leave(company, "mina")

    assert own.get("/me/leads/1").status_code == 403


def test_the_page_of_all_open_leads_offers_to_remember_the_browser_and_then_the_address_works(company: Stage) -> None:
    reader = company.know(company.browser(), "mina")
    page = reader.get(f"{path_of(company.box.links.for_person('mina', at=NOW))}/leads")

    action, hidden = form_to(page, "/me/enrol")
    asked = reader.post(action, data=hidden)
    (row,) = company.rows(MailedCode)
    action, hidden = form_to(asked, "/me/code")
    reader.post(action, data={**hidden, "code": enrolment.code_of(company.box.links, row.id)})

    assert (row.person, "We sent a code to the address of Mina Okoro" in asked.text) == ("mina", True)
    assert LEE in reader.get("/me/leads/1").text
    assert "/me/enrol" not in reader.get(str(page.url)).text


def test_a_browser_that_is_not_known_cannot_be_remembered_from_there(company: Stage) -> None:
    stranger, link = company.browser(), company.box.links.for_person("mina", at=NOW)
    page = stranger.get(f"{path_of(link)}/leads")
    _, hidden = form_of(page)

    refused = stranger.post("/me/enrol", data={**hidden, "token": link.rpartition("/")[2], "wait_id": "leads"})

    assert "/me/enrol" not in page.text
    assert refused.status_code == 422
    assert company.rows(MailedCode) == []
