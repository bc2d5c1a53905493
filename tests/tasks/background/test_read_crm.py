"""What sales changes in the CRM behind Baton's back counts as an answer like any other."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from storage.tables import Answer
from tasks.background.read_crm import read_crm
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import letters, tenures, touches_of, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest

MINUTE = timedelta(minutes=1)


def changes(box: Toolbox, time: SteppedTime, taken: Taken, **values: str) -> None:
    local_crm(box).person_changes(taken.lead_id, by="ana", at=time.at, values=values)


def answers(box: Toolbox) -> list[tuple[str, str, str]]:
    rows = box.read_now(lambda session, now: list(session.exec(select(Answer).order_by(col(Answer.id)))))
    return [(row.kind, row.via, row.state) for row in rows]


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def test_a_new_owner_in_the_crm_gets_the_lead_with_a_clock_of_their_own(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    time.at += 10 * MINUTE

    changes(box, time, taken, owner="cleo")
    await driver.settle()

    assert [(one.rep, one.ended_because) for one in tenures(box, taken)] == [("ana", "handed"), ("cleo", "")]
    assert (wait_of(box, taken).holder, wait_of(box, taken).due_at) == ("cleo", time.at + 30 * MINUTE)
    assert answers(box) == [("handed", "crm", "counted")]
    assert letters(box, "assigned")[-1] == "cleo"


async def test_a_new_owner_after_acceptance_gets_the_lead_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)

    changes(box, time, taken, owner="cleo")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("assigned", "cleo")


async def test_the_same_owner_or_one_that_nobody_knows_changes_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)

    for owner in ("ana", "Somebody Else", ""):
        changes(box, time, taken, owner=owner)
        time.at += MINUTE
    await driver.settle()

    assert newest(box, taken).rep == "ana"
    assert answers(box) == []


async def test_a_status_in_the_companys_words_accepts(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)

    changes(box, time, taken, status="Working")
    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    assert answers(box) == [("accepted", "crm", "counted")]


async def test_another_status_says_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)

    changes(box, time, taken, status="Looked at")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert "crm-changed" in [event.kind for event in events_of(box, taken)]


async def test_an_attempt_is_read_from_the_crm(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)

    changes(box, time, taken, status="Attempted")
    await driver.settle()

    assert newest(box, taken).stage == "working"
    assert touches_of(box, taken) == ["attempted"]


async def test_an_attempt_while_the_lead_is_only_assigned_counts_as_accepted_and_as_attempted(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await assigned(driver, box)

    changes(box, time, taken, status="Attempted")
    await driver.settle()

    assert answers(box) == [("accepted", "crm", "counted"), ("attempted", "crm", "counted")]
    [accepted] = [event for event in events_of(box, taken) if event.kind == "answered-accepted"]
    assert (accepted.actor, accepted.data["implied_by"]) == ("ana", "attempted")
    assert (newest(box, taken).stage, wait_of(box, taken).kind, touches_of(box, taken)) == ("working", "outcome", ["attempted"])


async def test_an_opportunity_made_while_the_lead_is_only_assigned_is_not_forgotten(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await assigned(driver, box)

    changes(box, time, taken, status="Opportunity")
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
    assert "accepted" in [event.kind for event in events_of(box, taken)]


async def test_an_opportunity_made_in_the_crm_is_one_and_is_not_made_again(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)

    changes(box, time, taken, status="Opportunity")
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
    assert local_crm(box).opportunities_of(taken.lead_id) == []


async def test_a_change_counts_as_of_when_it_was_made(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Made a minute before the deadline, and read an hour after it."""
    taken = await assigned(driver, box)
    made = wait_of(box, taken).due_at - MINUTE
    local_crm(box).person_changes(taken.lead_id, by="ana", at=made, values={"status": "Working"})
    time.at = made + timedelta(hours=1)

    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    [accepted] = [event for event in events_of(box, taken) if event.kind == "accepted"]
    assert accepted.data["on_time"] is True


async def test_a_change_after_an_answer_is_kept_as_late(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-icp")
    changes(box, time, taken, status="Working")

    await driver.settle()

    assert answers(box) == [("rejected", "link", "counted"), ("accepted", "crm", "late")]
    assert newest(box, taken).stage == "disqualified"


async def test_a_change_of_a_lead_that_has_ended_or_that_nobody_knows_is_passed_over(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await assigned(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-icp")
    await driver.settle()
    changes(box, time, taken, status="Working", owner="cleo")
    local_crm(box).person_changes(4711, by="ana", at=time.at, values={"status": "Working"})

    await driver.settle()

    assert newest(box, taken).stage == "disqualified"
    assert await read_crm(box) == 0


async def test_a_change_while_the_lead_is_with_marketing_is_noted_and_gives_no_answer(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, campaign="")
    await driver.settle()

    changes(box, time, taken, status="Working", owner="cleo")
    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("mql", "note")
    assert answers(box) == []


async def test_each_change_is_read_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    changes(box, time, taken, status="Working")

    assert await read_crm(box) == 1
    assert await read_crm(box) == 0
    assert len(answers(box)) == 1


async def test_what_baton_writes_into_the_crm_is_no_answer(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)

    await driver.run(until=time.at + 10 * MINUTE)

    assert local_crm(box).fields_of(taken.lead_id)["owner"] == "ana"
    assert answers(box) == []


async def test_a_rep_who_works_on_it_in_the_crm_while_the_manager_is_asked_is_heard(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_working(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    assert wait_of(box, taken).kind == "decision"

    changes(box, time, taken, status="Opportunity")
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
