"""By which tags a run is found: the rep's team and manager, and each promise that was missed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.attempt import attempt
from flows.resting import Rest
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, newest


async def rest_of(box: Toolbox, taken: Taken) -> Rest:
    """Where the run of the lead rests."""
    async with attempt(newest(box, taken).id) as lead:
        return await lead.go_on()


async def tags_of(box: Toolbox, taken: Taken) -> set[str]:
    return set((await rest_of(box, taken)).tags)


def missed(tags: set[str]) -> set[str]:
    return {tag for tag in tags if tag.startswith("missed:")}


@pytest.fixture
async def assigned(driver: Driver, box: Toolbox) -> Taken:
    """A lead whose rep owes an answer."""
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    return taken


async def test_a_run_names_the_team_of_its_rep_and_the_manager_who_decides(box: Toolbox, assigned: Taken) -> None:
    tags = await tags_of(box, assigned)

    assert {"team:emea", "manager:maria"} < tags
    assert missed(tags) == set()


async def test_a_run_without_a_rep_names_nobody(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, campaign="")
    await driver.settle()
    assert wait_of(box, taken).kind == "note"

    assert not {tag for tag in await tags_of(box, taken) if tag.startswith(("team:", "manager:"))}


async def test_a_missed_promise_stays_on_the_run_after_it_was_kept_by_another_rep(driver: Driver, box: Toolbox, assigned: Taken) -> None:
    await driver.run(until=wait_of(box, assigned).due_at)
    assert missed(await tags_of(box, assigned)) == {"missed:acceptance"}

    answer_by_link(box, assigned, "accepted")
    await driver.settle()

    assert wait_of(box, assigned).kind == "first_attempt"
    assert missed(await tags_of(box, assigned)) == {"missed:acceptance"}


async def test_each_promise_that_was_missed_has_a_tag_of_its_own(driver: Driver, box: Toolbox, assigned: Taken) -> None:
    await driver.run(until=wait_of(box, assigned).due_at)
    answer_by_link(box, assigned, "accepted")
    await driver.settle()
    await driver.run(until=wait_of(box, assigned).due_at)

    assert missed(await tags_of(box, assigned)) == {"missed:acceptance", "missed:first_attempt"}


async def test_the_tag_is_there_when_the_run_has_ended(driver: Driver, box: Toolbox, assigned: Taken) -> None:
    await driver.run(until=wait_of(box, assigned).due_at)
    answer_by_link(box, assigned, "rejected", reason="not-now")
    await driver.settle()

    rest = await rest_of(box, assigned)

    assert (rest.waits, missed(set(rest.tags))) == (False, {"missed:acceptance"})


async def test_an_answer_that_counts_although_it_came_late_is_a_missed_promise(box: Toolbox, time: SteppedTime, assigned: Taken) -> None:
    """The clock stood still meanwhile: nobody declared the deadline missed before the answer came."""
    time.at = wait_of(box, assigned).promised_at + timedelta(minutes=1)

    answer_by_link(box, assigned, "accepted")

    assert missed(await tags_of(box, assigned)) == {"missed:acceptance"}


async def test_an_answer_in_time_is_none(box: Toolbox, time: SteppedTime, assigned: Taken) -> None:
    time.at = wait_of(box, assigned).promised_at - timedelta(minutes=1)

    answer_by_link(box, assigned, "accepted")

    assert missed(await tags_of(box, assigned)) == set()


async def test_where_a_manager_is_asked_the_run_names_that_manager(driver: Driver, box: Toolbox, assigned: Taken) -> None:
    answer_by_link(box, assigned, "rejected", reason="other", text="Ask marketing.")
    await driver.settle()
    wait = wait_of(box, assigned)
    assert wait.kind == "decision"

    assert f"manager:{wait.holder}" in await tags_of(box, assigned)
