"""For some minutes an answer can be taken back; until then nobody outside hears of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import figures
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import letters, news, tenures, touches_of, until_accepted, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest, token_of

MINUTE = timedelta(minutes=1)


@pytest.fixture
def box(box: Toolbox) -> Toolbox:
    """The toolbox with five minutes to think it over, as the example agreement has it."""
    box.settings.undo_minutes = None
    return box


def undo(box: Toolbox, taken: Taken, reply: answering.Reply) -> bool:
    token = token_of(box, taken)
    return box.write_now(
        lambda session, now: answering.undo(session, OpenedLink(box, token), the(reply.winner).answer_id, now=now, device="")
    ).taken_back


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def test_an_acceptance_acts_at_once_and_tells_nobody_outside_before_its_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = await assigned(driver, box)

    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()

    assert reply.undo_until == start + 5 * MINUTE
    assert newest(box, taken).stage == "accepted"
    assert (letters(box, "feedback"), news(box)) == ([], [])
    assert local_crm(box).fields_of(taken.lead_id).get("status") is None
    await driver.run(until=start + 5 * MINUTE)
    assert news(box) == [("accepted", "Ana Silva accepted it.")]
    assert local_crm(box).fields_of(taken.lead_id)["status"] == "Working"


async def test_an_acceptance_taken_back_leaves_the_lead_as_it_was(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    due = wait_of(box, taken).due_at
    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()
    time.at += 4 * MINUTE

    assert undo(box, taken, reply)
    await driver.settle()

    wait = wait_of(box, taken)
    assert (newest(box, taken).stage, wait.kind, wait.due_at) == ("assigned", "acceptance", due)
    assert [one.rep for one in tenures(box, taken)] == [newest(box, taken).rep]


async def test_of_an_acceptance_taken_back_nobody_outside_ever_hears(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()
    undo(box, taken, reply)

    await driver.run(until=time.at + timedelta(days=10))

    assert letters(box, "feedback") + letters(box, "marketing-digest") == []
    assert local_crm(box).fields_of(taken.lead_id).get("status") is None
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).accepted == 0


async def test_after_an_undo_the_rep_may_answer_otherwise(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()
    undo(box, taken, reply)
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="not-icp")
    await driver.run(until=time.at + 5 * MINUTE)

    assert newest(box, taken).stage == "disqualified"


async def test_an_undo_and_another_answer_before_an_attempt_has_read_either_both_count(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """As when the Prefect server is away for a while."""
    taken = await assigned(driver, box)
    reply = answer_by_link(box, taken, "accepted")
    undo(box, taken, reply)

    assert answer_by_link(box, taken, "rejected", reason="not-icp").won
    await driver.run(until=time.at + 5 * MINUTE)

    assert newest(box, taken).stage == "disqualified"
    assert "accepted" not in [event.kind for event in events_of(box, taken)]


async def test_a_rejection_waits_until_it_can_no_longer_be_taken_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)

    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    assert newest(box, taken).stage == "assigned"
    await driver.run(until=time.at + 5 * MINUTE)

    assert newest(box, taken).stage == "nurturing"
    assert letters(box, "feedback") == ["mina"]


async def test_a_rejection_taken_back_never_was(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    reply = answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += 2 * MINUTE

    assert undo(box, taken, reply)
    await driver.run(until=time.at + 20 * MINUTE)

    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("assigned", "acceptance")
    assert letters(box, "feedback") == []


async def test_a_rejection_taken_back_lets_the_clock_run_on(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    due = wait_of(box, taken).due_at
    time.at = due - MINUTE
    reply = answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at = due + MINUTE
    undo(box, taken, reply)

    await driver.settle()

    assert tenures(box, taken)[0].ended_because == "not answered in time"


async def test_a_deadline_does_not_take_a_lead_from_whoever_rejected_it_in_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    time.at = wait_of(box, taken).due_at - MINUTE
    answer_by_link(box, taken, "rejected", reason="not-icp")

    await driver.run(until=time.at + 10 * MINUTE)

    assert [one.ended_because for one in tenures(box, taken)] == ["rejected"]


async def test_an_attempt_taken_back_leaves_the_first_attempt_owed_and_no_touch(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    due = wait_of(box, taken).due_at
    reply = answer_by_link(box, taken, "attempted")
    await driver.settle()
    assert newest(box, taken).stage == "working"

    assert undo(box, taken, reply)
    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind, wait_of(box, taken).due_at) == ("accepted", "first_attempt", due)
    assert touches_of(box, taken) == []


async def test_of_an_attempt_taken_back_the_crm_never_hears(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    reply = answer_by_link(box, taken, "attempted")
    await driver.settle()
    assert local_crm(box).fields_of(taken.lead_id).get("status") != "Attempted"
    undo(box, taken, reply)

    await driver.run(until=time.at + 10 * MINUTE)

    assert local_crm(box).fields_of(taken.lead_id)["status"] == "Working"


async def test_an_attempt_is_told_to_the_crm_when_it_can_no_longer_be_taken_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    answer_by_link(box, taken, "attempted")

    await driver.run(until=time.at + 5 * MINUTE)

    assert local_crm(box).fields_of(taken.lead_id)["status"] == "Attempted"


async def test_an_opportunity_is_not_made_before_it_can_no_longer_be_taken_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    reply = answer_by_link(box, taken, "opportunity")
    await driver.settle()
    assert local_crm(box).opportunities_of(taken.lead_id) == []
    undo(box, taken, reply)
    answer_by_link(box, taken, "opportunity")

    await driver.run(until=time.at + 5 * MINUTE)

    assert newest(box, taken).stage == "opportunity"
    assert len(local_crm(box).opportunities_of(taken.lead_id)) == 1


async def test_it_is_too_late_once_the_time_is_over(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()
    time.at += 5 * MINUTE

    assert not undo(box, taken, reply)
    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    assert news(box) == [("accepted", "Ana Silva accepted it.")]


async def test_nobody_takes_back_what_somebody_else_answered(driver: Driver, box: Toolbox) -> None:
    taken, other = await assigned(driver, box), await assigned(driver, box)
    reply = answer_by_link(box, taken, "accepted")

    assert not undo(box, other, reply)


async def test_an_answer_by_the_deadline_cannot_be_taken_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await assigned(driver, box)
    time.at = wait_of(box, taken).due_at
    await driver.clock.deadlines.missed()
    late = answer_by_link(box, taken, "accepted")

    assert not undo(box, taken, late)
