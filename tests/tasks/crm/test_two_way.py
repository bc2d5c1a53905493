"""What a person does in the CRM: logged touches, rejections with their reasons, and values that say nothing new."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from agreements.words import EventKind
from storage.crm.port import Change
from storage.tables import CrmChange
from tasks.background.read_crm import read_crm, read_soon
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, deliveries_of, touches_of, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, answers_of, capture, events_of, local_crm, newest
from tests.tasks.crm.test_same_as_by_link import two_way

MINUTE = timedelta(minutes=1)


def logs(box: Toolbox, time: SteppedTime, taken: Taken, channel: str = "call", outcome: str = "attempted", by: str = "ana") -> None:
    local_crm(box).person_logs(taken.lead_id, by=by, at=time.at, channel=channel, outcome=outcome)


def sets(box: Toolbox, time: SteppedTime, taken: Taken, by: str = "ana", **values: str) -> None:
    local_crm(box).person_changes(taken.lead_id, by=by, at=time.at, values=values)


def told(box: Toolbox, taken: Taken, kind: EventKind = "crm-not-understood") -> list[dict[str, Any]]:
    return [event.data for event in events_of(box, taken) if event.kind == kind]


def whys(box: Toolbox, taken: Taken) -> list[str]:
    return [data["why"] for data in told(box, taken)]


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def test_a_call_before_acceptance_accepts_the_lead_and_is_an_attempt(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    time.at += 5 * MINUTE

    logs(box, time, taken)
    await driver.settle()

    assert answers_of(box, taken) == [("accepted", "counted"), ("attempted", "counted")]
    assert (newest(box, taken).stage, touches_of(box, taken)) == ("working", ["attempted"])
    assert told(box, taken, "touched")[0]["channel"] == "phone"


async def test_several_touches_read_at_once_are_all_counted(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    for channel, outcome in (("call", "attempted"), ("email", "attempted"), ("meeting", "connected")):
        time.at += 5 * MINUTE
        logs(box, time, taken, channel, outcome)

    await driver.settle()

    assert touches_of(box, taken) == ["attempted", "attempted", "connected"]
    assert [data["channel"] for data in told(box, taken, "touched")] == ["phone", "email", "in-person"]
    assert wait_of(box, taken).kind == "outcome"
    assert answers_of(box, taken) == [("accepted", "counted"), ("attempted", "counted")]


@pytest.mark.parametrize(
    ("minutes", "by", "why"),
    [
        (-1, "ana", "before-assignment"),
        (1, "ben", "not-asked"),
        (1, "mina", "unknown-person"),
        (1, "Sequence Tool", "unknown-person"),
    ],
)
async def test_a_touch_that_is_not_the_reps_work_on_the_lead_is_shown_and_not_counted(
    driver: Driver, box: Toolbox, time: SteppedTime, minutes: int, by: str, why: str
) -> None:
    taken = await assigned(driver, box)
    local_crm(box).person_logs(taken.lead_id, by=by, at=time.at + minutes * MINUTE, channel="call")
    time.at += 2 * MINUTE

    await driver.settle()

    assert (touches_of(box, taken), answers_of(box, taken), newest(box, taken).stage) == ([], [], "assigned")
    assert whys(box, taken) == [why]


async def test_a_colleague_who_calls_for_the_rep_is_counted_and_the_rep_hears_of_it(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_working(driver, box)
    time.at += 5 * MINUTE

    logs(box, time, taken, by="maria")
    await driver.settle()

    assert touches_of(box, taken) == ["attempted", "attempted"]
    assert ("told", "email") in deliveries_of(box, taken)


async def test_a_touch_of_a_lead_that_nobody_has_is_shown(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-icp")
    await driver.settle()

    logs(box, time, taken)
    await driver.settle()

    assert (touches_of(box, taken), whys(box, taken)) == ([], ["no-task"])


async def test_everything_done_in_the_crm_while_it_could_not_be_read_is_judged_in_order(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, two_way)
    taken = await assigned(driver, box)
    for values in ({"status": "Working"}, {"status": "Attempted"}, {"status": "Opportunity"}):
        time.at += MINUTE
        sets(box, time, taken, **values)

    await driver.settle()

    assert answers_of(box, taken) == [("accepted", "counted"), ("attempted", "counted"), ("opportunity", "counted")]
    assert newest(box, taken).stage == "opportunity"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"status": "Unqualified", "reason": "not-icp"}, {}),
        ({"status": "Unqualified"}, {"reason": "not-icp"}),
        ({"reason": "not-icp"}, {"status": "Unqualified"}),
    ],
)
async def test_a_rejection_with_its_reason_in_one_change_or_in_two(
    driver: Driver, box: Toolbox, time: SteppedTime, first: dict[str, str], then: dict[str, str]
) -> None:
    agree_on(box, two_way)
    taken = await assigned(driver, box)

    sets(box, time, taken, **first)
    await driver.settle()
    time.at += MINUTE
    sets(box, time, taken, **then)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("disqualified", "not-icp")
    assert answers_of(box, taken) == [("rejected", "counted")]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"status": "Unqualified"}, "no-reason"),
        ({"status": "Unqualified", "reason": "because"}, "no-reason"),
        ({"status": "Unqualified", "reason": "wrong-rep"}, "incomplete"),
        ({"status": "Unqualified", "reason": "other"}, "incomplete"),
        ({"status": "Looked at"}, "no-meaning"),
        ({"owner": "gone-since-june"}, "unknown-owner"),
    ],
)
async def test_what_cannot_be_understood_is_shown_and_the_question_stays_open(
    driver: Driver, box: Toolbox, time: SteppedTime, values: dict[str, str], why: str
) -> None:
    agree_on(box, two_way)
    taken = await assigned(driver, box)

    sets(box, time, taken, **values)
    await driver.settle()

    assert (whys(box, taken), answers_of(box, taken), newest(box, taken).stage) == ([why], [], "assigned")
    assert wait_of(box, taken).answer_id is None


async def test_what_a_reason_asks_for_is_read_from_the_agreed_fields(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    def agreed(tree: dict[str, Any]) -> None:
        two_way(tree)
        tree["crm"]["details"] = {"text": "notes", "revisit_on": "call_back"}

    agree_on(box, agreed)
    taken = await assigned(driver, box)

    sets(box, time, taken, status="Unqualified", reason="not-now", notes="After the summer", call_back="2027-09-01")
    await driver.settle()

    assert newest(box, taken).stage == "nurturing"
    assert wait_of(box, taken).due_at.date().isoformat() == "2027-09-01"
    kept = box.read_now(lambda session, now: [row.details for row in session.exec(select(CrmChange))])
    assert kept == [{}]


async def test_a_value_that_baton_wrote_itself_is_no_answer(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    time.at += MINUTE
    sets(box, time, taken, by="integration", status="Attempted", owner="ana")

    await driver.settle()

    assert touches_of(box, taken) == ["attempted"]
    assert "crm-changed" not in [event.kind for event in events_of(box, taken)]


async def test_an_owner_that_a_later_change_has_replaced_gets_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    time.at += 10 * MINUTE
    crm = local_crm(box)
    crm.person_changes(taken.lead_id, by="maria", at=time.at, values={"owner": "ana"})
    await driver.settle()

    crm.person_changes(taken.lead_id, by="maria", at=time.at - MINUTE, values={"owner": "cleo"})
    await driver.settle()

    assert newest(box, taken).rep == "ana"


class Repeating:
    """A CRM that reports each change twice, the second time as another message of its own."""

    def __init__(self, changes: list[Change]) -> None:
        self.changes, self.name = changes, "repeating"

    async def changes_since(self, bookmark: str) -> tuple[list[Change], str]:
        return self.changes[::-1] + self.changes, str(int(bookmark or 0) + 1)


async def test_the_same_change_by_webhook_and_by_poll_in_any_order_counts_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    start = time.at
    made = [
        Change(number, taken.lead_id, "ana", start + number * MINUTE, {"channel": "call"}, kind="touch", id=f"call-{number}")
        for number in range(1, 6)
    ]
    time.at += 10 * MINUTE
    box.crm = Repeating(made)  # type: ignore[assignment]

    for _ in range(2):
        await read_crm(box)
    await driver.carry_out(newest(box, taken).id)
    await read_crm(box)

    assert touches_of(box, taken) == ["attempted"] * 5
    assert answers_of(box, taken) == [("accepted", "counted"), ("attempted", "counted")]


async def test_a_webhook_makes_the_next_tick_read(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    box.settings.crm_poll_seconds = 3600
    taken = await assigned(driver, box)
    sets(box, time, taken, status="Working")
    await driver.settle()
    assert newest(box, taken).stage == "assigned"

    def hook(session: Session, now: Any) -> None:
        read_soon(session, now=now)
        read_soon(session, now=now)

    box.write_now(hook)
    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    assert await driver.clock.tick() == 0


async def test_accepting_creates_the_opportunity_once_where_that_is_agreed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, two_way)
    taken = await assigned(driver, box)

    sets(box, time, taken, status="Working")
    await driver.settle()

    assert len(local_crm(box).opportunities_of(taken.lead_id)) == 1

    answer_by_link(box, taken, "attempted")
    await driver.settle()
    answer_by_link(box, taken, "opportunity")
    await driver.settle()

    assert len(local_crm(box).opportunities_of(taken.lead_id)) == 1
    assert newest(box, taken).stage == "opportunity"
