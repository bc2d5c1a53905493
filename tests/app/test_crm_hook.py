"""POST /hooks/crm over real HTTP: a call of the CRM only has Baton read the CRM soon, and strangers have it read nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.web.crm_hook import DOOR
from storage import crm_changes
from storage.keys import Scope
from storage.tables import Bookmark, DoorDay
from tests.app import crm_calls
from tests.app.crm_calls import SECRET
from tests.app.stage import Stage, stage

BODY = b'[{"eventId":1,"subscriptionType":"contact.propertyChange","objectId":7}]'


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, crm_hook_secret=SECRET) as running:
        yield running


def signed(company: Stage, body: bytes = BODY, **more: Any) -> dict[str, str]:
    return crm_calls.signed(company.box, company.time, body, **more)


def asked(company: Stage) -> bool:
    return company.box.read_now(lambda session, now: session.execute(crm_changes.asked_query()).scalar()) is not None


def refused(company: Stage) -> int:
    return sum(row.refused for row in company.rows(DoorDay) if row.door == DOOR)


def test_a_call_of_hubspot_has_the_crm_read_once(company: Stage) -> None:
    browser = company.browser()
    answers = [browser.post("/hooks/crm", content=BODY, headers=signed(company, ago=ago)).status_code for ago in (0, 1, 2)]

    assert answers == [202, 202, 202]
    assert asked(company)
    assert len([row for row in company.rows(Bookmark) if row.name == crm_changes.SOON]) == 1


def test_a_key_with_the_scope_is_enough_for_other_crms(company: Stage) -> None:
    for scope, status in ((Scope.CRM, 202), (Scope.INTAKE, 403), (Scope.DSN, 403)):
        program = company.browser(headers={"authorization": f"Bearer {company.key(f'crm {scope}', scope)}"})
        assert program.post("/hooks/crm", content=b"<soap/>").status_code == status
    assert asked(company)
    assert refused(company) == 2


@pytest.mark.parametrize("how", ["none", "another secret", "one byte", "too old", "ahead", "another address", "a wrong key"])
def test_whoever_has_neither_changes_nothing_but_a_count(company: Stage, how: str) -> None:
    browser, body = company.browser(), BODY
    headers = {
        "none": {},
        "another secret": signed(company, secret="another"),
        "one byte": signed(company),
        "too old": signed(company, ago=301),
        "ahead": signed(company, ago=-301),
        "another address": signed(company, url="/hooks/other"),
        "a wrong key": {"authorization": "Bearer wrong"},
    }[how]
    answer = browser.post("/hooks/crm", content=body.replace(b"7", b"8") if how == "one byte" else body, headers=headers)

    assert answer.status_code == 401
    assert not asked(company)
    assert refused(company) == 1


def test_a_replay_changes_nothing_but_a_count(company: Stage) -> None:
    browser, headers = company.browser(), signed(company)
    assert browser.post("/hooks/crm", content=BODY, headers=headers).status_code == 202
    wanted = company.box.read_now(lambda session, now: session.execute(crm_changes.asked_query()).scalar())
    company.box.write_now(lambda session, now: crm_changes.was_read(session, str(wanted)))

    assert browser.post("/hooks/crm", content=BODY, headers=headers).status_code == 401
    assert not asked(company)


def test_without_a_secret_no_signature_is_right(tmp_path: Path) -> None:
    with stage(tmp_path) as running:
        assert running.browser().post("/hooks/crm", content=BODY, headers=signed(running, secret="")).status_code == 401
        assert not asked(running)


def test_a_body_that_is_too_large_is_not_read(company: Stage) -> None:
    assert company.browser().post("/hooks/crm", content=b"x" * 1_000_001, headers=signed(company)).status_code == 413
