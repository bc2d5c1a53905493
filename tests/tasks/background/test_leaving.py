"""Somebody leaves: the roster without them comes into force once everything that they have open is somebody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from agreements.errors import HandoffError, RosterError, StillAtWork
from storage import roster, waits
from storage.tables import Answer, Dispute
from tasks.background.leaving import load_roster
from tasks.disputes import rulings
from tasks.replies.validation import ChoiceRefused
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import ROSTER
from tests.deal import BY_POINTS, agree_on, answer_by_duty, letters, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, newest


def without(*idents: str, **changes: str) -> str:
    """The example roster without these people; changes: other texts to put for one."""
    text = ROSTER
    for ident in idents:
        text = re.sub(rf"^  {ident}:.*\n(    .*\n)*", "", text, flags=re.M)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


def people_of(box: Toolbox) -> set[str]:
    return set(box.read_now(lambda session, now: roster.current(session)).people)


async def until_assigned(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    return taken


ASSIGNED, ACCEPTED, WORKING = until_assigned, until_accepted, until_working


@pytest.mark.parametrize("until", [ASSIGNED, ACCEPTED, WORKING])
async def test_somebody_with_an_open_lead_cannot_be_left_out(driver: Driver, box: Toolbox, until: Any) -> None:
    taken = await until(driver, box, **BY_POINTS)

    with pytest.raises(StillAtWork) as refused:
        load_roster(box, without("ana"))

    assert f"Ana Silva (ana) is missing and has 1 open lead ({taken.lead_id})." in str(refused.value)
    assert "--hand-over" in str(refused.value)
    assert "ana" in people_of(box), "the roster in force stays"


async def test_somebody_without_anything_open_can_be_left_out(driver: Driver, box: Toolbox) -> None:
    await until_assigned(driver, box, **BY_POINTS)

    load_roster(box, without("emil", "ben"))

    assert not {"emil", "ben"} & people_of(box)


@pytest.mark.parametrize("until", [ASSIGNED, ACCEPTED, WORKING])
async def test_all_of_it_goes_to_one_person(driver: Driver, box: Toolbox, until: Any) -> None:
    taken = await until(driver, box, **BY_POINTS)

    _, moved = load_roster(box, without("ana"), to="cleo")
    await driver.settle()

    assert (moved, newest(box, taken).rep, "ana" in people_of(box)) == (1, "cleo", False)
    assert [(row.rep, row.ended_because) for row in tenures(box, taken)] == [("ana", "left"), ("cleo", "")]
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("acceptance", "cleo")
    kinds = [event.kind for event in events_of(box, taken)]
    assert "answered-left" in kinds
    assert "missed" not in kinds
    assert letters(box, "withdrawn") == []


@pytest.mark.parametrize(
    ("until", "kind", "holder"), [(ASSIGNED, "acceptance", "ben"), (ACCEPTED, "decision", "maria"), (WORKING, "decision", "maria")]
)
async def test_all_of_it_goes_by_the_rules(driver: Driver, box: Toolbox, until: Any, kind: str, holder: str) -> None:
    taken = await until(driver, box, **BY_POINTS)

    load_roster(box, without("ana"), hand_over=True)
    await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == (kind, holder)
    assert [row.ended_because for row in tenures(box, taken)][0] == "left"


async def test_the_manager_gives_it_to_somebody_and_cannot_leave_it_with_who_is_gone(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_working(driver, box, **BY_POINTS)
    load_roster(box, without("ana"), hand_over=True)
    await driver.settle()

    with pytest.raises(ChoiceRefused):
        answer_by_duty(box, taken, "decided", choice="give-back")
    answer_by_duty(box, taken, "decided", choice="reassign", colleague="ben")
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert newest(box, taken).rep == "ben"


async def test_an_answer_that_waits_for_its_time_stays(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_assigned(driver, box, **BY_POINTS)
    answer_by_link(box, taken, "rejected", reason="no-budget")

    load_roster(box, without("ana"))
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "no-budget")


@pytest.mark.parametrize(("to", "holder"), [("", "marcus"), ("dora", "dora")])
async def test_a_decision_goes_to_the_next_manager(driver: Driver, box: Toolbox, to: str, holder: str) -> None:
    taken = await until_working(driver, box, **BY_POINTS)
    load_roster(box, without("ana"), hand_over=True)
    await driver.settle()
    text = without("ana", "maria", **{"manager: maria": "manager: marcus"})
    with pytest.raises(StillAtWork, match=r"Maria Keller \(maria\) is missing and has 1 decision or note to give \(leads 1\)"):
        load_roster(box, text)

    load_roster(box, text, hand_over=not to, to=to)
    await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", holder)
    assert letters(box, "decision-asked") == ["maria", holder]


@pytest.mark.parametrize(("to", "holder"), [("", "marcus"), ("maria", "maria")])
async def test_a_note_goes_to_the_next_person_of_marketing(driver: Driver, box: Toolbox, to: str, holder: str) -> None:
    taken = capture(box, campaign="")
    await driver.settle()
    text = without("mina", **{"marketing: mina": "marketing: marcus"})

    load_roster(box, text, hand_over=not to, to=to)
    await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("note", holder)
    assert letters(box, "note-needed") == ["mina", holder]


async def test_a_dispute_goes_to_the_next_manager(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_assigned(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-now")
    time.at += timedelta(minutes=6)
    await driver.settle()
    answer_id = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.kind == "rejected")).one())
    row = box.write_now(lambda session, now: rulings.raise_dispute(session, answer_id, "mina", "They asked by name.", now=now))
    await driver.settle()
    text = without("maria", **{"manager: maria": "manager: marcus"})
    with pytest.raises(StillAtWork, match=r"1 dispute to decide \(1\)"):
        load_roster(box, text)

    load_roster(box, text, hand_over=True)
    await driver.settle()

    assert the(box.read_now(lambda session, now: session.get(Dispute, row.id))).holder == "marcus"
    assert letters(box, "dispute-raised") == ["maria", "marcus"]
    assert "dispute-moved" in [event.kind for event in events_of(box, taken)]


async def test_many_people_at_once_leave_nothing_behind_and_nothing_goes_to_somebody_who_leaves(driver: Driver, box: Toolbox) -> None:
    leads = [await until_assigned(driver, box, email=f"a{n}@firm{n}.example", source_id=f"n{n}") for n in range(7)]
    assert {newest(box, one).rep for one in leads} == {"ana", "ben", "cleo"}

    load_roster(box, without("ana", "ben", "emil"), hand_over=True)
    await driver.settle()

    assert {newest(box, one).rep for one in leads} == {"cleo"}
    assert {wait_of(box, one).holder for one in leads} == {"cleo"}


async def test_a_command_that_died_half_way_is_repeated(driver: Driver, box: Toolbox) -> None:
    leads = [await until_assigned(driver, box, email=f"a{n}@firm{n}.example", source_id=f"n{n}") for n in range(3)]
    wait = wait_of(box, next(one for one in leads if newest(box, one).rep == "ana"))
    left = waits.NewAnswer("left", by="baton", via="cli", data={"left": "ana", "colleague": "ben"})
    box.write_now(lambda session, now: waits.answer(session, wait.id, left, now=now))

    load_roster(box, without("ana"), to="ben")
    await driver.settle()

    assert "ana" not in {newest(box, one).rep for one in leads}
    load_roster(box, ROSTER)
    assert not box.read_now(lambda session, now: roster.current(session)).people["ana"].away, "whoever comes back is there"


@pytest.mark.parametrize(
    ("text", "to", "said"),
    [
        (without("dora"), "", "b2b-saas@1: routing.default_acceptor: nobody in the roster is called 'dora'"),
        (without("dora"), "ben", "b2b-saas@1: routing.default_acceptor: nobody in the roster is called 'dora'"),
        (without("ana", "ben", "cleo", "emil"), "", "b2b-saas@1: teams.emea: nobody in this team is a rep"),
        (ROSTER.replace("capacity: 100", "calendar: paris"), "", "b2b-saas@1: people.dora.calendar: the agreement has no calendar 'paris'"),
        (without("ana"), "zoe", "Nobody in the new roster is called 'zoe'; name one of ben, "),
        (without("ana"), "ana", "Nobody in the new roster is called 'ana'"),
        (without("ana"), "emil", "Emil Novak is away until 08 Feb 2027 00:00 UTC; name somebody who is there."),
        (without("maria"), "", "teams.emea.manager: nobody is called 'maria'"),
        (without("mina"), "", "marketing: nobody is called 'mina'"),
        (without("oscar"), "", "operator: nobody is called 'oscar'"),
    ],
)
def test_what_an_agreement_or_the_roster_names_cannot_be_left_out(box: Toolbox, text: str, to: str, said: str) -> None:
    before = people_of(box)

    with pytest.raises(HandoffError) as refused:
        load_roster(box, text, to=to)

    assert said in str(refused.value)
    assert people_of(box) == before


async def test_an_agreement_without_which_leads_are_open_counts_too(driver: Driver, box: Toolbox) -> None:
    await until_assigned(driver, box)
    agree_on(box, lambda tree: tree["routing"].update(default_acceptor="ben"))

    with pytest.raises(RosterError) as refused:
        load_roster(box, without("dora"))

    assert [line for line in str(refused.value).splitlines() if "dora" in line][0].startswith("b2b-saas@1: ")
