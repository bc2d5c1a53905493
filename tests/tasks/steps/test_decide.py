"""A manager says what becomes of a lead that its ladder laid before them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import figures
from tasks.replies import answering
from tasks.replies.answering import ChoiceRefused
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import answer_by_duty, letters, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, events_of, kept_by, newest


async def laid_before_maria(driver: Driver, box: Toolbox) -> Taken:
    """A lead whose rep worked on it and brought no outcome."""
    taken = await until_working(driver, box)
    await driver.run(until=wait_of(box, taken).due_at)
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")
    return taken


async def test_the_manager_gives_it_to_somebody_else(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)

    answer_by_duty(box, taken, "decided", choice="reassign")
    await driver.settle()

    assert [(one.rep, one.ended_because) for one in tenures(box, taken)] == [("ana", "decided"), ("ben", "")]
    assert letters(box, "withdrawn") == ["ana"]
    letter = next(one for one in kept_by(box, "email").letters if one.message == "withdrawn")
    assert "Maria Keller gave it to somebody else." in letter.text


async def test_the_manager_says_who_gets_it(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)

    answer_by_duty(box, taken, "decided", choice="reassign", colleague="cleo")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "cleo"]


async def test_the_manager_leaves_it_with_the_rep_who_gets_a_new_clock(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await laid_before_maria(driver, box)
    tenure = tenures(box, taken)[0]

    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()

    wait = wait_of(box, taken)
    assert (newest(box, taken).stage, newest(box, taken).owner) == ("working", "ana")
    assert (wait.kind, wait.holder, wait.assignment_id) == ("outcome", "ana", tenure.id)
    assert wait.due_at > time.at + timedelta(days=10)


async def test_a_lead_that_was_given_back_and_rots_again_still_ends(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await laid_before_maria(driver, box)
    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()

    await driver.run(until=time.at + timedelta(days=60))

    assert newest(box, taken).stage == "nurturing"


async def test_the_manager_gives_it_back_to_marketing(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)

    answer_by_duty(box, taken, "decided", choice="nurture")
    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.track, handoff.reason) == ("nurturing", "unworked", "decided")
    assert wait_of(box, taken).kind == "revisit"


async def test_the_manager_gives_it_up(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)

    answer_by_duty(box, taken, "decided", choice="disqualify")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("disqualified", "decided")
    [ended] = [event for event in events_of(box, taken) if event.kind == "disqualified"]
    assert ended.actor == "maria"


@pytest.mark.parametrize("choice", ["reassign", "nurture", "disqualify"])
async def test_a_lead_that_is_taken_away_by_a_decision_counts_as_withdrawn(driver: Driver, box: Toolbox, choice: str) -> None:
    taken = await laid_before_maria(driver, box)

    answer_by_duty(box, taken, "decided", choice=choice)
    await driver.settle()

    assert tenures(box, taken)[0].ended_because == "decided"
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).accepted_then_withdrawn == 1


@pytest.mark.parametrize("choice", ["", "throw-away"])
async def test_a_decision_without_a_choice_is_asked_for_one(driver: Driver, box: Toolbox, choice: str) -> None:
    taken = await laid_before_maria(driver, box)

    with pytest.raises(ChoiceRefused, match="Please choose what becomes of the lead"):
        answer_by_duty(box, taken, "decided", choice=choice)


async def test_a_decision_about_the_first_attempt_leaves_the_rep_a_new_clock_for_that(driver: Driver, box: Toolbox) -> None:
    taken = await until_accepted(driver, box)
    for _ in range(2):
        await driver.run(until=wait_of(box, taken).due_at)
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    await driver.run(until=wait_of(box, taken).due_at)

    answer_by_duty(box, taken, "decided", choice="give-back")
    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind, wait_of(box, taken).holder) == ("accepted", "first_attempt", "ben")


async def test_what_the_rep_does_before_the_manager_decides_counts(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)
    token = box.links.for_duty(wait_of(box, taken).id, "maria").rpartition("/")[2]

    assert answer_by_link(box, taken, "opportunity").won
    late = box.write_now(
        lambda session, now: answering.answer(
            session, OpenedLink(box, token), answering.SentForm("decided", {"choice": "nurture"}), now=now
        )
    )
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
    assert (late.won, the(late.winner).kind) == (False, "opportunity")


async def test_a_rep_who_tries_while_the_manager_is_asked_goes_on_working(driver: Driver, box: Toolbox) -> None:
    taken = await until_accepted(driver, box)
    for _ in range(2):
        await driver.run(until=wait_of(box, taken).due_at)
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    await driver.run(until=wait_of(box, taken).due_at)
    assert wait_of(box, taken).kind == "decision"

    answer_by_link(box, taken, "attempted")
    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("working", "outcome")


async def test_after_a_decision_the_rep_is_told_that_it_is_settled(driver: Driver, box: Toolbox) -> None:
    taken = await laid_before_maria(driver, box)
    answer_by_duty(box, taken, "decided", choice="nurture")
    await driver.settle()

    reply = answer_by_link(box, taken, "opportunity")

    assert not reply.won
    assert reply.ended.startswith("This lead is no longer yours")
