"""An attempt may die at any line: each open handoff always has something that will move it, and nothing is said twice."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from storage import strays, wakes
from tasks.wiring.toolbox import Toolbox
from tests.deal import BY_POINTS, agree_on, wait_of
from tests.driver import Driver
from tests.dying import Died, dies_at, leases_end, lives
from tests.stage import Taken, answer_by_link, capture, newest

#: Seeded, so that a failure can be repeated; `long` tries every statement.
SEED, TRIED = 20261128, 8
POINTS = ["step screen", "step qualify", "step document", "step assign", "before telling", "told", "step notify", "rests"]


@contextmanager
def dying_before(box: Toolbox, statement: int) -> Iterator[list[int]]:
    """Lets the process die before the n-th statement from here on; how many there were."""
    sent = [0]

    def count(*_: object) -> None:
        sent[0] += 1
        if sent[0] == statement:
            raise Died(statement)

    event.listen(box.database.engine, "before_cursor_execute", count)
    try:
        yield sent
    finally:
        event.remove(box.database.engine, "before_cursor_execute", count)


def something_moves(box: Toolbox, taken: Taken) -> bool:
    """Whether the rule holds: a wake, a lease (also one that is over: it is looked for), or an open wait with a next look."""
    handoff = newest(box, taken)
    stranded = box.read_now(lambda session, now: strays.stranded(session)[0])
    return handoff.id not in stranded


async def recovered(driver: Driver, box: Toolbox, taken: Taken) -> None:
    """The lead goes on by itself once the dead attempt's lease is over."""
    assert something_moves(box, taken)
    leases_end(box)
    await driver.settle()
    assert something_moves(box, taken)


def nothing_twice(box: Toolbox) -> bool:
    keys = Counter(letter.key for channel in box.channels.values() for letter in getattr(channel, "letters", []))
    return not [key for key, count in keys.items() if count > 1]


async def dies(driver: Driver, box: Toolbox, taken: Taken, statement: int) -> bool:
    """One attempt that dies before this statement; False where it has fewer."""
    with dying_before(box, statement) as sent:
        try:
            await driver.carry_out(newest(box, taken).id)
        except Died:
            return True
    assert sent[0] < statement
    return False


async def statements_of_an_attempt(driver: Driver, box: Toolbox) -> int:
    """Of the second one: what is read once a process has been read by then."""
    counted = 0
    for _ in range(2):
        taken = capture(box, **BY_POINTS)
        with dying_before(box, -1) as sent:
            await driver.carry_out(newest(box, taken).id)
        counted = sent[0]
    return counted


async def test_where_everything_was_being_sent_the_rep_is_told_once_more_under_other_keys(driver: Driver, box: Toolbox) -> None:
    """A hot lead has so few channels that the fallback alone would not be enough: told twice is better than never."""
    taken = capture(box)
    box.fault = dies_at("before telling")
    with pytest.raises(Died):
        await driver.carry_out(newest(box, taken).id)
    box.fault = lives

    await recovered(driver, box, taken)

    assert wait_of(box, taken).kind == "acceptance"
    assert nothing_twice(box)


@pytest.mark.parametrize("point", POINTS)
async def test_a_lead_whose_attempt_died_at_any_point_goes_on(driver: Driver, box: Toolbox, point: str) -> None:
    taken = capture(box, **BY_POINTS)
    box.fault = dies_at(point)
    with pytest.raises(Died):
        await driver.carry_out(newest(box, taken).id)
    box.fault = lives

    await recovered(driver, box, taken)

    assert wait_of(box, taken).kind == "acceptance"
    assert nothing_twice(box)


async def test_a_lead_whose_attempt_died_before_any_statement_goes_on(driver: Driver, box: Toolbox) -> None:
    await _die_before(driver, box, random.Random(SEED).sample(range(1, await statements_of_an_attempt(driver, box)), TRIED))


@pytest.mark.long
async def test_a_lead_whose_attempt_died_before_each_statement_goes_on(driver: Driver, box: Toolbox) -> None:
    await _die_before(driver, box, range(1, await statements_of_an_attempt(driver, box)))


async def _die_before(driver: Driver, box: Toolbox, statements: Iterable[int]) -> None:
    agree_on(box, lambda tree: tree["routing"]["capacity"].update(per_rep=1000))  # each attempt routes alike
    for statement in statements:
        taken = capture(box, **BY_POINTS)
        assert await dies(driver, box, taken, statement), statement

        await recovered(driver, box, taken)

        assert wait_of(box, taken).kind == "acceptance", statement
        assert nothing_twice(box), statement


@pytest.mark.parametrize("point", ["told", "rests"])
async def test_an_answer_that_comes_while_an_attempt_is_under_way_is_acted_upon(driver: Driver, box: Toolbox, point: str) -> None:
    """Whatever the attempt has read by then: it does not come to rest over the answer."""
    taken = capture(box, **BY_POINTS)
    answered: list[bool] = []

    def answers(here: str) -> None:
        if here == point and not answered:
            answered.append(answer_by_link(box, taken, "accepted").won)

    box.fault = answers
    await driver.settle()
    box.fault = lives
    await driver.settle()

    assert answered == [True]
    assert newest(box, taken).stage == "accepted"
    assert wait_of(box, taken).kind == "first_attempt"


async def test_a_handoff_that_nothing_would_move_is_found_and_counted(driver: Driver, box: Toolbox) -> None:
    """This cannot happen, and if it does the lead goes on and somebody hears of it."""
    taken = capture(box, **BY_POINTS)
    box.write_now(lambda session, now: wakes.drop_all(session, newest(box, taken).id))
    assert not something_moves(box, taken)

    moved = await driver.clock.repair.stranded()
    await driver.settle()

    assert moved == 1
    assert newest(box, taken).stage == "assigned"
    assert box.read_now(lambda session, now: strays.rescued(session)) == 1
