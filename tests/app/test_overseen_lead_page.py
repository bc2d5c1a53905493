"""The page of one lead for marketing and managers: who may open it, and whose names it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.stage import NOW, Stage, path_of, stage
from tests.app.test_overview_page import LEE


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
