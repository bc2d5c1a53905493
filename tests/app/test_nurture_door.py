"""The doors of nurture: the marketing automation confirms over the API, a person with a command; strangers change nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from storage import enrolments
from storage.keys import Scope
from storage.tables import Enrolment, Handoff
from tasks.wiring.toolbox import Toolbox
from tests.app.conftest import Command
from tests.app.stage import Stage, stage
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, capture, newest

KEY = "enrolment:1:1"


@pytest.fixture
def company(tmp_path: Path) -> Iterator[Stage]:
    """A company whose lead is to be enrolled."""
    with stage(tmp_path) as running:

        def want(session: Session, handoff: Handoff, now: datetime) -> None:
            enrolments.want(session, handoff.id, handoff.lead_id, "not-now", now=now, due_at=now + timedelta(days=1))

        running.do(want)
        yield running


@pytest.fixture
def door(company: Stage) -> httpx.Client:
    return company.browser(headers={"authorization": f"Bearer {company.key(scope=Scope.INTAKE)}"})


def state(company: Stage) -> str:
    return str(company.rows(Enrolment)[0].state)


def test_a_confirmation_counts_once(company: Stage, door: httpx.Client) -> None:
    answers = [door.post("/api/nurture", json={"key": KEY, "result": "confirmed"}) for _ in range(2)]

    assert [(one.status_code, one.json()["result"]) for one in answers] == [(200, "confirmed"), (200, "repeated")]
    assert state(company) == "confirmed"


def test_a_refusal_is_kept_with_its_reason_until_a_confirmation(company: Stage, door: httpx.Client) -> None:
    refused = [door.post("/api/nurture", json={"key": KEY, "result": "refused", "error": "no such track"}) for _ in range(2)]
    row = company.rows(Enrolment)[0]

    assert [one.json()["result"] for one in refused] == ["refused", "repeated"]
    assert (row.state, row.error) == ("refused", "no such track")
    assert door.post("/api/nurture", json={"key": KEY, "result": "confirmed"}).json() == {"result": "confirmed"}


def test_what_nobody_wants_any_more_is_outdated(company: Stage, door: httpx.Client) -> None:
    company.do(lambda session, handoff, now: enrolments.leave(session, handoff.id, now=now))

    assert door.post("/api/nurture", json={"key": KEY, "result": "confirmed"}).json() == {"result": "outdated"}
    assert state(company) == "waiting"


@pytest.mark.parametrize("key", ["enrolment:2:1", "enrolment:1:2", "enrolment:1:0", "enrolment:١:1", "enrolment:-1:1", "1", "x" * 80])
def test_a_key_that_baton_never_sent_is_not_found(company: Stage, door: httpx.Client, key: str) -> None:
    assert door.post("/api/nurture", json={"key": key, "result": "confirmed"}).status_code == 404
    assert state(company) == "waiting"


@pytest.mark.parametrize(
    "said",
    [{}, {"key": KEY}, {"key": KEY, "result": "done"}, {"key": 1, "result": "confirmed"}, {"key": KEY, "result": "confirmed", "x": 1}, []],
)
def test_what_is_no_confirmation_is_refused_with_its_mistakes(company: Stage, door: httpx.Client, said: Any) -> None:
    answer = door.post("/api/nurture", json=said)

    assert answer.status_code == 422
    assert answer.json()["problems"]
    assert state(company) == "waiting"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer wrong"}])
def test_without_a_key_nothing_changes(company: Stage, headers: dict[str, str]) -> None:
    answer = company.browser(headers=headers).post("/api/nurture", json={"key": KEY, "result": "confirmed"})

    assert (answer.status_code, state(company)) == (401, "waiting")


def test_a_key_for_returned_mail_is_not_enough(company: Stage) -> None:
    wrong = company.browser(headers={"authorization": f"Bearer {company.key(scope=Scope.DSN)}"})

    assert wrong.post("/api/nurture", json={"key": KEY, "result": "confirmed"}).status_code == 403
    assert state(company) == "waiting"


@pytest.fixture
async def taken(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.run(until=box.read_now(lambda session, now: now))
    return taken


def want(box: Toolbox, taken: Taken, *, due_in: timedelta) -> None:
    handoff = newest(box, taken)
    box.write_now(lambda session, now: enrolments.want(session, handoff.id, taken.lead_id, "not-now", now=now, due_at=now + due_in))


def test_the_list_says_what_is_open_and_ends_with_one_where_something_is_late(baton: Command, box: Toolbox, taken: Taken) -> None:
    assert (baton("nurture", "list").exit_code, "confirmed every" in baton("nurture", "list").output) == (0, True)
    want(box, taken, due_in=timedelta(days=1))
    in_time = baton("nurture", "list", "--json")
    want(box, taken, due_in=-timedelta(hours=1))
    late = baton("nurture", "list")

    assert (in_time.exit_code, late.exit_code) == (0, 1)
    assert [(one["lead"], one["track"], one["to_do"], one["late"]) for one in json.loads(in_time.output)] == [
        (1, "not-now", "enrol", False)
    ]
    assert "late" in late.output


def test_a_person_confirms_once_and_has_it_told_again(baton: Command, box: Toolbox, taken: Taken) -> None:
    want(box, taken, due_in=timedelta(days=1))
    again = baton("nurture", "retry", "1")
    row = the(box.read_now(lambda session, now: enrolments.newest_of(session, 1)))
    first, second = baton("nurture", "confirm", "1"), baton("nurture", "confirm", "1")

    assert (again.exit_code, row.turn) == (0, 2)
    assert "Lead 1 is in the track not-now." in first.output
    assert "Nothing is open for lead 1." in second.output
    assert baton("nurture", "retry", "1").exit_code == 1


def test_a_lead_that_was_never_to_be_enrolled_is_said(baton: Command, box: Toolbox) -> None:
    answer = baton("nurture", "confirm", "77")

    assert answer.exit_code == 1
    assert "Lead 77 was never to be enrolled" in answer.output
