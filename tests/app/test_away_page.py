"""The page on which a manager says until when somebody is away whose mailbox answers by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from storage import deliveries
from storage.tables import Absence, AutoReply, Delivery, DeliveryState
from tasks.background import auto_replies
from tests.app.stage import NOW, Stage, form_of, path_of, stage


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """The company, after Ana's mailbox answered her digest by itself."""
    with stage(tmp_path) as running:
        running.box.write_now(lambda session, now: answer_digest(session))
        yield running


def answer_digest(session: Session) -> None:
    deliveries.queue(session, None, deliveries.Message("digest"), deliveries.Copy("digest", "email", "ana"), now=NOW)
    row = session.get(Delivery, 1)
    assert row is not None
    row.state, row.sent_at = DeliveryState.SENT, NOW
    session.add(row)
    session.flush()
    auto_replies.take(session, row.id, [date(2026, 12, 8)], now=NOW)


def list_of(company: Stage, person: str = "maria") -> str:
    return path_of(company.box.links.for_person(person, at=NOW))


def code_of(company: Stage, person: str = "maria") -> str:
    return company.box.links.number(list_of(company, person).rpartition("/")[2])


def opened(company: Stage, browser: httpx.Client) -> httpx.Response:
    return browser.get(f"{list_of(company)}/away/1")


def sent(company: Stage, browser: httpx.Client, **fields: str) -> httpx.Response:
    action, hidden = form_of(opened(company, browser))
    return browser.post(action, data={**hidden, **fields})


def test_the_managers_list_asks_and_the_page_proposes_the_day_that_the_reply_names(company: Stage) -> None:
    browser = company.browser()

    listed, page = browser.get(list_of(company)), opened(company, browser)

    assert "Is Ana Silva away?" in listed.text
    assert f'href="{list_of(company)}/away/1"' in listed.text
    assert 'value="2026-12-08"' in page.text
    assert company.rows(Absence) == [], "looking changes nothing"


def test_one_press_with_the_code_records_the_absence(company: Stage) -> None:
    browser = company.browser()

    page = sent(company, browser, choice="away", until="2026-12-10", number=code_of(company))

    assert (page.status_code, "The absence of Ana Silva is recorded." in page.text) == (200, True)
    (row,) = company.rows(Absence)
    assert (row.person, row.source, row.by, f"{row.ends_at:%Y-%m-%d %H:%M}") == ("ana", "reply", "maria", "2026-12-10 00:00")
    assert "Is Ana Silva away?" not in browser.get(list_of(company)).text
    assert "already settled" in opened(company, browser).text


def test_she_is_there(company: Stage) -> None:
    page = sent(company, company.browser(), choice="there", until="", number=code_of(company))

    assert "Ana Silva keeps everything." in page.text
    assert (company.rows(Absence), company.rows(AutoReply)[0].settled) == ([], "there")


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"choice": "away", "until": "2026-12-10"}, 422, "type the code"),
        ({"choice": "away", "until": "2026-12-10", "number": "0"}, 422, "not the code"),
        ({"choice": "there"}, 422, "type the code"),
    ],
)
def test_whoever_holds_only_the_link_changes_nothing(company: Stage, fields: dict[str, str], status: int, says: str) -> None:
    page = sent(company, company.browser(), **fields)

    assert page.status_code == status
    assert says in page.text
    assert (company.rows(Absence), company.rows(AutoReply)[0].settled) == ([], "")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"choice": "away", "until": ""}, "Say on which day Ana Silva is back"),
        ({"choice": "away", "until": "soon"}, "no instant"),
        ({"choice": "away", "until": "2026-11-01"}, "write an end after the beginning"),
        ({"choice": "nonsense"}, "choose one of the answers"),
    ],
)
def test_what_is_missing_is_named(company: Stage, fields: dict[str, str], says: str) -> None:
    page = sent(company, company.browser(), **fields, number=code_of(company))

    assert page.status_code == 422
    assert says in page.text
    assert company.rows(Absence) == []


def test_a_form_from_elsewhere_is_refused(company: Stage) -> None:
    browser = company.browser()
    action, hidden = form_of(opened(company, browser))

    stranger = company.browser().post(action, data={**hidden, "choice": "there", "number": code_of(company)})

    assert stranger.status_code == 403
    assert company.rows(AutoReply)[0].settled == ""


@pytest.mark.parametrize(("person", "reply"), [("ana", "1"), ("ben", "1"), ("mina", "1"), ("maria", "2"), ("maria", "x")])
def test_nobody_else_sees_it_and_there_is_no_other(company: Stage, person: str, reply: str) -> None:
    assert company.browser().get(f"{list_of(company, person)}/away/{reply}").status_code == 404
