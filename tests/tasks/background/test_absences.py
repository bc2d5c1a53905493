"""An absence begins: what the person has open is handed over as agreed, and nobody waits for somebody who is not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tasks.background.absences import hand_over_absences
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, answer_by_duty, letters, staff, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, newest

#: From Monday noon; the tests begin on Monday at nine.
NOON = "away: [{from: 2027-02-01T12:00:00Z, until: 2027-02-10T00:00:00Z}]"
ANA = "ana@northgate.example, team: emea,"
MARIA = "maria@northgate.example, role: manager,"
MINA = "mina@northgate.example, role: marketing,"


async def noon(driver: Driver, box: Toolbox, time: SteppedTime) -> int:
    """The absence begins; what that changes is done."""
    time.at += timedelta(hours=3, minutes=1)
    moved = await hand_over_absences(box)
    await driver.settle()
    return moved


def on_leave(**rules: str) -> Any:
    return lambda tree: tree["routing"].update(on_leave=rules)


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    assert newest(box, taken).rep == "ana"
    return taken


async def test_a_lead_without_an_answer_goes_to_somebody_else(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {NOON},"))
    taken = await assigned(driver, box)

    assert await noon(driver, box, time) == 1

    first, second = tenures(box, taken)
    assert (first.rep, first.ended_because, second.rep) == ("ana", "away", "ben")
    assert letters(box, "withdrawn") == [], "whoever is away need not be told"
    assert await hand_over_absences(box) == 0, "once"


async def test_it_counts_as_no_missed_deadline(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {NOON},"))
    taken = await assigned(driver, box)

    await noon(driver, box, time)

    kinds = [event.kind for event in events_of(box, taken)]
    assert "answered-away" in kinds
    assert "missed" not in kinds


@pytest.mark.parametrize("until", [until_accepted, until_working], ids=["accepted", "working"])
async def test_a_lead_that_was_accepted_goes_to_the_deputy(driver: Driver, box: Toolbox, time: SteppedTime, until: Any) -> None:
    staff(box, (ANA, f"{ANA} {NOON}, deputy: cleo,"))
    taken = await until(driver, box, **BY_POINTS)

    assert await noon(driver, box, time) == 1

    assert [(row.rep, row.cause) for row in tenures(box, taken)][1] == ("cleo", "asked for")


async def test_without_a_deputy_the_manager_decides(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {NOON},"))
    taken = await until_working(driver, box, **BY_POINTS)

    await noon(driver, box, time)

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder) == ("decision", "maria")
    answer_by_duty(box, taken, "decided", choice="reassign", colleague="ben")
    time.at += timedelta(minutes=6)
    await driver.settle()
    assert newest(box, taken).rep == "ben"


@pytest.mark.parametrize(
    ("rules", "rep", "kind"),
    [
        ({"assigned": "keep"}, "ana", "acceptance"),
        ({"assigned": "deputy"}, "cleo", "acceptance"),
        ({"assigned": "somebody-else"}, "ben", "acceptance"),
    ],
)
async def test_a_lead_without_an_answer_goes_as_agreed(
    driver: Driver, box: Toolbox, time: SteppedTime, rules: dict[str, str], rep: str, kind: str
) -> None:
    agree_on(box, on_leave(**rules))
    staff(box, (ANA, f"{ANA} {NOON}, deputy: cleo,"))
    taken = await assigned(driver, box)

    await noon(driver, box, time)

    assert (newest(box, taken).rep, wait_of(box, taken).kind) == (rep, kind)


async def test_an_answer_that_came_before_counts_and_nothing_is_handed_over_twice(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {NOON},"))
    taken = await assigned(driver, box)
    time.at += timedelta(hours=3, minutes=1)
    answer_by_link(box, taken, "rejected", reason="no-budget")

    assert await hand_over_absences(box) == 0

    time.at += timedelta(minutes=6)
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "no-budget")


async def test_a_manager_who_goes_on_leave_is_replaced_by_the_deputy(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(
        box,
        (ANA, f"{ANA} away: [{{from: 2027-02-01T10:00:00Z, until: 2027-02-10T00:00:00Z}}],"),
        (MARIA, f"{MARIA} {NOON}, deputy: marcus,"),
    )
    taken = await until_accepted(driver, box, **BY_POINTS)
    time.at += timedelta(hours=1, minutes=1)
    await hand_over_absences(box)
    await driver.settle()
    assert wait_of(box, taken).holder == "maria"

    time.at += timedelta(hours=2)
    assert await hand_over_absences(box) == 1
    await driver.settle()

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder) == ("decision", "marcus")
    assert letters(box, "decision-asked") == ["maria", "marcus"]


async def test_a_note_is_completed_by_somebody_who_is_there(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (MINA, f"{MINA} {NOON}, deputy: maria,"))
    taken = capture(box, campaign="")
    await driver.settle()
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("note", "mina")

    assert await noon(driver, box, time) == 1

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("note", "maria")
    assert letters(box, "note-needed") == ["mina", "maria"]


async def test_a_wait_that_began_during_the_absence_is_left_alone(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["routing"].update(everyone_away="route-anyway"))
    emea = [f"{name}@northgate.example, team: emea," for name in ("ana", "ben", "cleo")]
    staff(box, *[(was, f"{was} away: [{{from: 2027-01-11T00:00:00Z, until: 2027-02-10T00:00:00Z}}],") for was in emea])
    capture(box)
    await driver.settle()

    assert await hand_over_absences(box) == 0


async def test_somebody_who_had_it_before_an_absence_may_get_it_again(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {NOON},"))
    taken = await assigned(driver, box)
    await noon(driver, box, time)
    time.at += timedelta(days=9)
    answer_by_link(box, taken, "handed", colleague="ana")
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert newest(box, taken).rep == "ana"
