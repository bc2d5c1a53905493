"""The page on which marketing says whether two leads are one person, and the daily search that finds them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from app.cli import app as cli
from storage.tables import Event, Lead, TwinPair
from tasks.background.twins import find_twins
from tasks.intake import capture
from tasks.wiring import toolbox
from tests.app.stage import LEAD, NOW, Stage, form_of, path_of, stage

#: The same number, another address: perhaps the same person.
PRIVATE = LEAD.model_copy(update={"source_id": "18", "email": "lee.ohara@gmail.com", "conversion_id": "p", "company": ""})


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """The company, after somebody came who looks like its lead."""
    with stage(tmp_path) as running:
        running.box.write_now(lambda session, now: capture(session, PRIVATE, now=now))
        asyncio.run(find_twins(running.box))
        yield running


def page_of(company: Stage, person: str = "mina") -> str:
    return path_of(company.box.links.for_person(person, at=NOW))


def code_of(company: Stage, person: str = "mina") -> str:
    return company.box.links.number(page_of(company, person).rpartition("/")[2])


def sent(company: Stage, browser: httpx.Client, **fields: str) -> httpx.Response:
    action, hidden = form_of(browser.get(f"{page_of(company)}/twins/2-1"))
    return browser.post(action, data={**hidden, **fields})


def merged(company: Stage) -> dict[int, int | None]:
    return {row.id: row.merged_into for row in company.rows(Lead)}


def test_marketings_list_names_the_pair_and_looking_changes_nothing(company: Stage) -> None:
    browser = company.browser()

    listed, page = browser.get(page_of(company)), browser.get(f"{page_of(company)}/twins/2-1")

    assert "Perhaps one person" in listed.text
    assert f'href="{page_of(company)}/twins/2-1"' in listed.text
    assert "the same phone number" in page.text
    assert page.text.index("lee@harbour.example") < page.text.index("lee.ohara@gmail.com"), "the earlier lead comes first"
    assert merged(company) == {1: None, 2: None}


@pytest.mark.parametrize(("goes_on", "ends"), [(1, 2), (2, 1)])
def test_one_press_with_the_code_merges_them(company: Stage, goes_on: int, ends: int) -> None:
    page = sent(company, company.browser(), choice=str(goes_on), number=code_of(company))

    assert (page.status_code, "one lead now" in page.text) == (200, True)
    assert merged(company) == {ends: goes_on, goes_on: None}
    assert [(row.settled, row.settled_by) for row in company.rows(TwinPair)] == [("merged", "mina")]
    assert "Perhaps one person" not in company.browser().get(page_of(company)).text


def test_two_people_are_not_suggested_again(company: Stage) -> None:
    page = sent(company, company.browser(), choice="apart", number=code_of(company))
    found = asyncio.run(find_twins(company.box))

    assert "two people" in page.text
    assert (merged(company), found) == ({1: None, 2: None}, [])
    assert sorted((row.lead_id, row.data["other"], row.actor) for row in company.rows(Event) if row.kind == "told-apart") == [
        (1, 2, "mina"),
        (2, 1, "mina"),
    ]
    assert "Perhaps one person" not in company.browser().get(page_of(company)).text


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"choice": "1"}, 422, "type the code"),
        ({"choice": "1", "number": "0"}, 422, "not the code"),
        ({"choice": "apart"}, 422, "type the code"),
    ],
)
def test_whoever_holds_only_the_link_changes_nothing(company: Stage, fields: dict[str, str], status: int, says: str) -> None:
    page = sent(company, company.browser(), **fields)

    assert (page.status_code, says in page.text) == (status, True)
    assert (merged(company), company.rows(TwinPair)[0].settled) == ({1: None, 2: None}, "")


@pytest.mark.parametrize("choice", ["", "3", "nonsense", "2-1"])
def test_another_answer_is_refused_with_what_to_do(company: Stage, choice: str) -> None:
    page = sent(company, company.browser(), choice=choice, number=code_of(company))

    assert (page.status_code, "Please choose one of the answers." in page.text) == (422, True)
    assert merged(company) == {1: None, 2: None}


@pytest.mark.parametrize("person", ["ana", "maria"])
def test_whoever_is_not_of_marketing_sees_no_pair(company: Stage, person: str) -> None:
    browser = company.browser()

    assert "Perhaps one person" not in browser.get(page_of(company, person)).text
    assert browser.get(f"{page_of(company, person)}/twins/2-1").status_code == 404


@pytest.mark.parametrize("pair", ["1-2", "2-2", "9-1", "2", "x-y", "2-1-1"])
def test_a_pair_that_baton_did_not_suggest_is_not_there(company: Stage, pair: str) -> None:
    assert company.browser().get(f"{page_of(company)}/twins/{pair}").status_code == 404


def test_a_form_from_elsewhere_is_refused(company: Stage) -> None:
    browser = company.browser()
    action, hidden = form_of(browser.get(f"{page_of(company)}/twins/2-1"))

    page = company.browser().post(action, data={**hidden, "choice": "1", "number": code_of(company)})

    assert page.status_code == 403
    assert merged(company) == {1: None, 2: None}


def test_what_was_said_counts_once(company: Stage) -> None:
    browser = company.browser()
    action, hidden = form_of(browser.get(f"{page_of(company)}/twins/2-1"))
    browser.post(action, data={**hidden, "choice": "1", "number": code_of(company)})

    again = browser.post(action, data={**hidden, "choice": "apart", "number": code_of(company)})

    assert merged(company) == {1: None, 2: 1}
    assert "one lead now" in again.text


def test_the_command_lists_them_with_marketings_page_and_tells_apart(company: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.terminal.open_box", lambda settings=None: company.box)
    toolbox.use(company.box)

    listed = CliRunner().invoke(cli, ["leads", "twins"])
    apart = CliRunner().invoke(cli, ["leads", "apart", "1", "2"])
    after = CliRunner().invoke(cli, ["leads", "twins"])

    assert (listed.exit_code, "/m/" in listed.output) == (0, True)
    assert (apart.exit_code, "two people" in apart.output) == (0, True)
    assert "No leads look like the same person." in after.output


@pytest.mark.parametrize(("words", "says"), [(["1", "1"], "Name two leads"), (["1", "99"], "Name two leads")])
def test_no_pair_is_told_apart_that_is_none(company: Stage, monkeypatch: pytest.MonkeyPatch, words: list[str], says: str) -> None:
    monkeypatch.setattr("app.terminal.open_box", lambda settings=None: company.box)

    done = CliRunner().invoke(cli, ["leads", "apart", *words])

    assert done.exit_code == 1
    assert says in done.output


def test_a_pair_ends_with_a_lead_that_is_erased_or_merged_elsewhere(company: Stage) -> None:
    def merge(session: object, now: object) -> None:
        row = session.get(Lead, 2)  # type: ignore[attr-defined]
        row.merged_into = 1
        session.add(row)  # type: ignore[attr-defined]

    company.box.write_now(merge)

    assert "Perhaps one person" not in company.browser().get(page_of(company)).text
    assert "already settled" in company.browser().get(f"{page_of(company)}/twins/2-1").text
