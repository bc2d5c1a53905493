"""Whoever is asked or told is somebody who is there: managers, marketing, the default acceptor, the operator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, letters, staff, tenures, until_accepted, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, newest

AWAY = "away: [{from: 2027-01-11T00:00:00Z, until: 2027-03-01T00:00:00Z}]"
MARIA, MINA, DORA = (
    f"{name}@northgate.example, role: {role}," for name, role in (("maria", "manager"), ("mina", "marketing"), ("dora", "rep"))
)


def nobody_in_emea(tree: dict[str, Any]) -> None:
    tree["routing"]["everyone_away"] = "default-acceptor"


@pytest.mark.parametrize(
    ("changes", "asked"),
    [([], "maria"), ([(MARIA, f"{MARIA} {AWAY}, deputy: marcus,")], "marcus"), ([(MARIA, f"{MARIA} {AWAY},")], "oscar")],
    ids=["the manager", "the deputy", "the operator"],
)
async def test_a_decision_is_asked_of_somebody_who_is_there(
    driver: Driver, box: Toolbox, time: SteppedTime, changes: list[tuple[str, str]], asked: str
) -> None:
    staff(box, *changes)
    taken = await until_accepted(driver, box, **BY_POINTS)
    for _ in range(40):  # never attempted: the ladder climbs until somebody decides
        wait = wait_of(box, taken)
        if wait.kind == "decision":
            break
        if wait.kind == "acceptance":
            answer_by_link(box, taken, "accepted")
        time.at = max(time.at, wait.next_at) + timedelta(minutes=1)
        await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", asked)
    assert asked in letters(box, "decision-asked")


@pytest.mark.parametrize(
    ("changes", "told"), [([], "mina"), ([(MINA, f"{MINA} {AWAY}, deputy: maria,")], "maria")], ids=["marketing's person", "the deputy"]
)
async def test_marketing_hears_of_an_answer_through_somebody_who_is_there(
    driver: Driver, box: Toolbox, time: SteppedTime, changes: list[tuple[str, str]], told: str
) -> None:
    staff(box, *changes)
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="no-budget")
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert letters(box, "feedback") == [told]


@pytest.mark.parametrize(
    ("changes", "rep", "why"),
    [
        ([], "dora", "nobody else can take it: default acceptor"),
        ([(DORA, f"{DORA} {AWAY}, deputy: maria,")], "maria", "nobody else can take it: default acceptor, who is away: their stand-in"),
    ],
    ids=["the default acceptor", "the stand-in"],
)
async def test_what_nobody_can_take_goes_to_somebody_who_is_there(
    driver: Driver, box: Toolbox, changes: list[tuple[str, str]], rep: str, why: str
) -> None:
    agree_on(box, nobody_in_emea)
    everyone = [
        (f"{name}@northgate.example, team: emea,", f"{name}@northgate.example, team: emea, {AWAY},") for name in ("ana", "ben", "cleo")
    ]
    staff(box, *everyone, *changes)
    taken = capture(box)

    await driver.settle()

    assert newest(box, taken).rep == rep
    assert tenures(box, taken)[0].cause == why
