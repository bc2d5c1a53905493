"""A clock that was missed climbs its ladder, and each ladder ends in a change of stage."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree, letters, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

LADDER = "when_missed: [{do: reassign, at_most: 2}, {do: default-acceptor}, {do: nurture, track: unworked}]"
HALF_AN_HOUR = timedelta(minutes=30)


def climbs(box: Toolbox, taken: Taken, clock: str) -> list[str]:
    """The rungs that were taken of this clock's ladder, in order."""
    return [event.data["do"] for event in events_of(box, taken) if event.kind == "escalated" and event.data["clock"] == clock]


async def missed_under(ladder: str, driver: Driver, box: Toolbox, time: SteppedTime) -> Taken:
    """A lead whose first acceptance was missed under this ladder."""
    agree(box, (LADDER, f"when_missed: {ladder}"))
    taken = capture(box)
    await driver.settle()
    await driver.run(until=time.at + HALF_AN_HOUR)
    return taken


@pytest.mark.parametrize(
    ("rung", "message", "person"),
    [("remind", "reminder", "ana"), ("tell-manager", "manager-told", "maria"), ("tell-marketing-ops", "ops-told", "oscar")],
)
async def test_a_rung_that_tells_somebody_is_followed_by_the_next_at_once(
    driver: Driver, box: Toolbox, time: SteppedTime, rung: str, message: str, person: str
) -> None:
    taken = await missed_under(f"[{{do: {rung}}}, {{do: nurture, track: unworked}}]", driver, box, time)

    assert letters(box, message)[-1] == person
    assert newest(box, taken).stage == "nurturing"
    assert climbs(box, taken, "acceptance") == [rung, "nurture"]


async def test_a_lead_is_reassigned_to_somebody_who_did_not_have_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await missed_under("[{do: reassign, at_most: 2}, {do: nurture}]", driver, box, time)

    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben"]
    assert tenures(box, taken)[0].ended_because == "not seen in time"
    assert letters(box, "withdrawn") == ["ana"]


async def test_the_default_acceptor_gets_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await missed_under("[{do: default-acceptor}, {do: nurture}]", driver, box, time)

    assert newest(box, taken).rep == "dora"


async def test_a_manager_decides(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await missed_under("[{do: manager-decides}]", driver, box, time)

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder, wait.about) == ("decision", "maria", "acceptance")
    assert newest(box, taken).owner == "maria"
    assert letters(box, "decision-asked") == ["maria"]


async def test_nurture_ends_the_climb_on_its_track(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await missed_under("[{do: nurture, track: cold}]", driver, box, time)

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.track, handoff.reason) == ("nurturing", "cold", "not-seen-in-time")
    assert tenures(box, taken)[0].ended_because == "not seen in time"


async def test_a_lead_can_be_given_up(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await missed_under("[{do: disqualify}]", driver, box, time)

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("disqualified", "not-seen-in-time")


async def test_a_rung_is_taken_as_often_as_it_says_and_then_the_next(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)

    await driver.run(until=time.at + timedelta(days=3))

    assert climbs(box, taken, "acceptance") == ["reassign", "reassign", "default-acceptor", "nurture"]
    assert [one.rep for one in tenures(box, taken)] == ["ana", "ben", "cleo", "dora"]


async def test_a_miss_is_charged_to_whoever_owed_it_and_as_of_the_due_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = await missed_under("[{do: nurture}]", driver, box, time)

    [missed] = [event for event in events_of(box, taken) if event.kind == "missed"]
    assert (missed.at, missed.data["owed_by"], missed.data["holder"]) == (start + HALF_AN_HOUR, "sales", "ana")


async def test_while_a_clock_runs_the_rep_is_reminded_and_then_the_manager_told(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = capture(box)

    await driver.run(until=start + timedelta(minutes=14))
    assert (letters(box, "reminder"), letters(box, "manager-told")) == ([], [])
    await driver.run(until=start + timedelta(minutes=15))
    assert (letters(box, "reminder"), letters(box, "manager-told")) == (["ana"], [])
    await driver.run(until=start + timedelta(minutes=24))

    assert (letters(box, "reminder"), letters(box, "manager-told")) == (["ana"], ["maria"])
    (told,) = [letter for letter in kept_by(box, "email").letters if letter.message == "manager-told"]
    assert told.subject.startswith("6 minutes left: Ana Silva, ")
    assert wait_of(box, taken).holder == "ana"


async def test_a_rep_who_has_answered_is_not_reminded(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")

    await driver.run(until=time.at + timedelta(hours=8))

    assert letters(box, "reminder") == []


async def test_a_rung_with_a_further_time_gives_that_time_first(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    due = wait_of(box, taken).due_at

    await driver.run(until=due)

    wait = wait_of(box, taken)
    assert letters(box, "manager-told") == ["maria"]
    assert (wait.kind, wait.holder, wait.rung, wait.promised_at) == ("first_attempt", newest(box, taken).rep, 2, due)
    assert climbs(box, taken, "first_attempt") == ["tell-manager"]


async def test_an_attempt_during_the_further_time_still_counts_but_late(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    time.at += timedelta(minutes=5)

    assert answer_by_link(box, taken, "attempted").won
    await driver.settle()

    assert newest(box, taken).stage == "working"
    [attempted] = [event for event in events_of(box, taken) if event.kind == "attempted"]
    assert attempted.data["on_time"] is False


async def test_after_the_further_time_the_lead_is_taken_away(driver: Driver, box: Toolbox) -> None:
    taken = await until_accepted(driver, box)
    first = newest(box, taken).rep
    await driver.run(until=wait_of(box, taken).due_at)

    await driver.run(until=wait_of(box, taken).due_at)

    assert climbs(box, taken, "first_attempt") == ["tell-manager", "reassign"]
    assert tenures(box, taken)[0].ended_because == "not attempted in time"
    assert newest(box, taken).rep not in ("", first)
    missed = [event for event in events_of(box, taken) if event.kind == "missed" and event.data["clock"] == "first_attempt"]
    assert len(missed) == 1


async def test_the_second_rep_who_lets_it_rot_brings_it_before_the_manager(driver: Driver, box: Toolbox) -> None:
    taken = await until_accepted(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    await driver.run(until=wait_of(box, taken).due_at)
    answer_by_link(box, taken, "accepted")
    await driver.settle()

    await driver.run(until=wait_of(box, taken).due_at)

    assert climbs(box, taken, "first_attempt") == ["tell-manager", "reassign", "manager-decides"]
    assert wait_of(box, taken).kind == "decision"


async def test_the_time_for_all_reps_together_is_bounded(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Half an hour each, but three quarters in all: the second rep has what is left."""
    start = time.at
    agree(box, ("total: {hot: 2 working hours", "total: {hot: 45 working minutes"))
    taken = capture(box)
    await driver.settle()

    await driver.run(until=start + HALF_AN_HOUR)

    assert wait_of(box, taken).due_at == start + timedelta(minutes=45)


async def test_no_outcome_in_time_brings_it_before_the_manager(driver: Driver, box: Toolbox) -> None:
    taken = await until_working(driver, box)

    await driver.run(until=wait_of(box, taken).due_at)

    assert (wait_of(box, taken).kind, wait_of(box, taken).about) == ("decision", "outcome")
    assert letters(box, "reminder") == [newest(box, taken).rep]


async def test_a_decision_that_nobody_takes_ends_in_nurture(driver: Driver, box: Toolbox) -> None:
    taken = await until_working(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)

    await driver.run(until=wait_of(box, taken).due_at)

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "not-decided-in-time")


async def test_a_link_that_comes_after_the_deadline_is_told_so(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Also before an attempt has read the deadline."""
    taken = capture(box)
    await driver.settle()
    time.at = wait_of(box, taken).due_at
    await driver.clock.deadlines.missed()

    reply = answer_by_link(box, taken, "accepted")

    assert not reply.won
    assert the(reply.winner).kind == "deadline"
    assert "agreed time has passed" in reply.ended
