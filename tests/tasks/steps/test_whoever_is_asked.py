"""Whoever is asked or told is somebody who is there: managers, marketing, the default acceptor, the operator."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agreements.errors import LinkInvalid
from tasks.messages.tell import tell
from tasks.replies import answering, mailed_codes, work_list
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, letters, staff, tenures, until_accepted, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, newest

AWAY = "away: [{from: 2027-01-11T00:00:00Z, until: 2027-03-01T00:00:00Z}]"
MARIA, MINA, DORA, OSCAR = (
    f"{name}@northgate.example, role: {role},"
    for name, role in (("maria", "manager"), ("mina", "marketing"), ("dora", "rep"), ("oscar", "operator"))
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


@pytest.mark.parametrize(
    ("changes", "sees"),
    [
        ([], ["maria"]),
        ([(MARIA, f"{MARIA} {AWAY}, deputy: marcus,")], ["marcus", "maria"]),
        ([(MARIA, f"{MARIA} {AWAY},")], ["maria", "oscar"]),
    ],
    ids=["the manager", "the deputy too", "the operator too"],
)
async def test_the_own_page_of_a_manager_is_there_for_whoever_stands_in(
    driver: Driver, box: Toolbox, time: SteppedTime, changes: list[tuple[str, str]], sees: list[str]
) -> None:
    staff(box, *changes)
    taken = await until_accepted(driver, box, **BY_POINTS)
    wait = wait_of(box, taken)

    def on_the_list(person: str) -> bool:
        listed = box.read_now(lambda session, now: work_list.list_for(session, person, token="t", folder="/m", now=now))
        return any(wait.id in row.link for row in listed)

    def may_open(person: str) -> bool:
        token = box.links.for_person(person, at=time.at).rpartition("/")[2]
        try:
            seen = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token, wait.id), now=now))
        except LinkInvalid:
            return False
        return bool(seen.options)

    managers = ("marcus", "maria", "mina", "oscar")
    assert [one for one in managers if on_the_list(one)] == sees
    assert [one for one in managers if may_open(one)] == sees


@pytest.mark.parametrize(
    ("changes", "told"),
    [([], "mina"), ([(MINA, f"{MINA} {AWAY}, deputy: maria,")], "maria")],
    ids=["marketing's person", "the deputy"],
)
async def test_what_nobody_of_the_roster_can_be_told_is_told_to_marketing_that_is_there(
    driver: Driver, box: Toolbox, changes: list[tuple[str, str]], told: str
) -> None:
    staff(box, *changes)
    taken = await until_accepted(driver, box)

    box.write_now(lambda session, now: tell(session, newest(box, taken), "gone", key="k", now=now, what="Something happened."))
    await driver.settle()

    assert letters(box, "told") == [told]


@pytest.mark.parametrize(
    ("changes", "told"),
    [([], "oscar"), ([(OSCAR, f"{OSCAR} {AWAY}, deputy: marcus,")], "marcus")],
    ids=["the operator", "the deputy"],
)
async def test_somebody_who_is_there_hears_that_codes_are_guessed(
    driver: Driver, box: Toolbox, changes: list[tuple[str, str]], told: str
) -> None:
    staff(box, *changes)

    box.write_now(lambda session, now: mailed_codes.begin(session, "ana", now=now))
    await driver.settle()

    assert sorted(letters(box, "number-guessed")) == sorted(["ana", told])
