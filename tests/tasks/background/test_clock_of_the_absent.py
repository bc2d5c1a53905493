"""The clock of somebody who is away stands, nothing is charged to them, and what was handed over may come back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from agreements.absences import NewAbsence
from storage import absences, waits
from storage.tables import Answer, Dispute
from tasks.background.absences import hand_over_absences
from tasks.disputes import rulings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, agree_on, answer_by_duty, letters, staff, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, newest

#: The tests begin on Monday 1 February at nine.
NOON = "2027-02-01T12:00:00Z"
BACK = "2027-02-10T00:00:00Z"
ANA = "ana@northgate.example, team: emea,"
AWAY = f"away: [{{from: {NOON}, until: {BACK}}}]"
KEEP = {"assigned": "keep", "accepted": "keep", "working": "keep"}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def agreed(box: Toolbox, **rules: Any) -> None:
    agree_on(box, lambda tree: tree["routing"].update(on_leave=rules))


async def until_assigned(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    return taken


async def when(driver: Driver, box: Toolbox, time: SteppedTime, text: str) -> int:
    """That instant comes, and what is due until then is done."""
    await driver.run(until=at(text))
    time.at = at(text)
    moved = await hand_over_absences(box)
    await driver.settle()
    return moved


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken)]


@pytest.mark.parametrize("until", [until_assigned, until_accepted, until_working])
async def test_the_clock_of_a_kept_lead_stands_and_goes_on_afterwards(driver: Driver, box: Toolbox, time: SteppedTime, until: Any) -> None:
    agreed(box, **KEEP)
    staff(box, (ANA, f"{ANA} {AWAY},"))
    taken = await until(driver, box, **BY_POINTS)
    before = wait_of(box, taken)

    assert await when(driver, box, time, "2027-02-01T12:01:00Z") == 1

    stands = wait_of(box, taken)
    assert (stands.kind, stands.holder, stands.id != before.id) == (before.kind, "ana", True)
    assert stands.due_at > at("2027-02-10T09:00:00Z"), "there is some of the time left when ana opens again"
    assert all(at(when_) > at(BACK) for when_, _ in stands.nudges)
    assert await when(driver, box, time, "2027-02-09T23:59:00Z") == 0
    assert wait_of(box, taken).id == stands.id, "nothing happens meanwhile"
    assert newest(box, taken).rep == "ana"
    assert not [event for event in events_of(box, taken) if event.kind in ("missed", "nudged") and event.at > at(NOON)]


async def test_what_follows_a_kept_lead_counts_from_the_return_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agreed(box, **KEEP)
    staff(box, (ANA, f"{ANA} {AWAY},"))
    taken = await until_assigned(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")
    await when(driver, box, time, "2027-02-10T09:05:00Z")

    answer_by_link(box, taken, "accepted")
    await driver.settle()

    wait = wait_of(box, taken)
    assert (wait.kind, wait.due_at > time.at) == ("first_attempt", True)
    assert "missed" not in kinds(box, taken)


async def test_whoever_comes_back_earlier_has_the_rest_of_the_time_from_then(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agreed(box, **KEEP)
    told = NewAbsence("ana", at(NOON), at(BACK), "command", "told")
    box.write_now(lambda session, now: absences.add(session, told, by="oscar", now=now))
    taken = await until_assigned(driver, box, **BY_POINTS)
    assert wait_of(box, taken).due_at == at("2027-02-01T14:00:00Z"), "an hour is left, for lunch is closed"
    await when(driver, box, time, "2027-02-01T12:01:00Z")

    time.at = at("2027-02-03T10:00:00Z")
    box.write_now(lambda session, now: absences.end(session, absences.of_person(session, "ana")[0], at=now, now=now))
    assert await when(driver, box, time, "2027-02-03T10:00:00Z") == 1

    assert wait_of(box, taken).due_at == at("2027-02-03T11:00:00Z")
    assert await when(driver, box, time, "2027-02-03T10:01:00Z") == 0, "once"


async def test_whoever_stays_away_longer_is_not_late(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agreed(box, **KEEP)
    told = NewAbsence("ana", at(NOON), at("2027-02-03T00:00:00Z"), "command", "told")
    box.write_now(lambda session, now: absences.add(session, told, by="oscar", now=now))
    taken = await until_assigned(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")
    first = wait_of(box, taken).due_at
    longer = NewAbsence("ana", at(NOON), at(BACK), "command", "told")
    box.write_now(lambda session, now: absences.add(session, longer, by="oscar", now=now))

    assert await when(driver, box, time, "2027-02-02T12:00:00Z") == 1

    assert wait_of(box, taken).due_at == first + timedelta(days=7)


@pytest.mark.parametrize(("rules", "rep"), [(KEEP, "ana"), ({}, "ben")])
async def test_a_deadline_within_an_absence_is_charged_to_nobody(
    driver: Driver, box: Toolbox, time: SteppedTime, rules: dict[str, str], rep: str
) -> None:
    agreed(box, **rules)
    taken = await until_assigned(driver, box, **BY_POINTS)
    due = wait_of(box, taken).due_at
    told = NewAbsence("ana", due - timedelta(seconds=30), due + timedelta(days=5), "command", "told")
    box.write_now(lambda session, now: absences.add(session, told, by="oscar", now=now))

    time.at = due + timedelta(seconds=1)
    await driver.clock.deadlines.missed()
    await driver.settle()

    assert newest(box, taken).rep == rep
    assert "missed" not in kinds(box, taken)
    assert box.read_now(lambda session, now: waits.missed_kinds(session, newest(box, taken).id)) == []


async def test_a_deadline_before_the_absence_counts(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_assigned(driver, box, **BY_POINTS)
    due = wait_of(box, taken).due_at
    told = NewAbsence("ana", due + timedelta(seconds=1), due + timedelta(days=5), "command", "told")
    box.write_now(lambda session, now: absences.add(session, told, by="oscar", now=now))

    time.at = due + timedelta(seconds=2)
    await driver.clock.deadlines.missed()
    await driver.settle()

    assert "missed" in kinds(box, taken)


async def test_a_decision_of_somebody_without_stand_in_counts_from_the_return(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    away = f"away: [{{from: 2027-01-31T12:00:00Z, until: {BACK}}}]"
    staff(
        box,
        (ANA, f"{ANA} {AWAY},"),
        ("maria@northgate.example, role: manager,", f"maria@northgate.example, role: manager, {away},"),
        ("oscar@northgate.example, role: operator,", f"oscar@northgate.example, role: operator, {away},"),
    )
    taken = await until_working(driver, box, **BY_POINTS)

    await when(driver, box, time, "2027-02-01T12:01:00Z")

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder) == ("decision", "oscar")
    assert wait.due_at > at(BACK)


@pytest.mark.parametrize(
    ("until", "meanwhile", "rep"),
    [(until_assigned, "", "ana"), (until_assigned, "accepted", "ana"), (until_assigned, "attempted", "ben"), (until_accepted, "", "ana")],
)
async def test_what_nobody_has_worked_on_comes_back(
    driver: Driver, box: Toolbox, time: SteppedTime, until: Any, meanwhile: str, rep: str
) -> None:
    agreed(box, back_after=True, accepted="somebody-else")
    staff(box, (ANA, f"{ANA} away: [{{from: {NOON}, until: 2027-02-01T12:30:00Z}}],"))
    taken = await until(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")
    assert newest(box, taken).rep == "ben"
    if meanwhile:
        answer_by_link(box, taken, "accepted")
        await driver.settle()
    if meanwhile == "attempted":
        answer_by_link(box, taken, "attempted")
        await driver.settle()

    moved = await when(driver, box, time, "2027-02-01T12:31:00Z")

    assert (newest(box, taken).rep, moved) == (rep, int(rep == "ana"))
    if rep == "ana":
        assert [(row.rep, row.ended_because) for row in tenures(box, taken)] == [("ana", "away"), ("ben", "back"), ("ana", "")]
        assert "answered-back" in kinds(box, taken)
        assert letters(box, "withdrawn") == ["ben"]
        assert await when(driver, box, time, "2027-02-01T12:32:00Z") == 0, "once"


async def test_without_that_rule_it_stays(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} away: [{{from: {NOON}, until: 2027-02-01T12:30:00Z}}],"))
    taken = await until_assigned(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")

    assert await when(driver, box, time, "2027-02-01T12:31:00Z") == 0

    assert newest(box, taken).rep == "ben"


async def test_a_decision_that_nobody_took_is_needed_no_more(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agreed(box, back_after=True, working="manager-decides")
    staff(box, (ANA, f"{ANA} away: [{{from: {NOON}, until: 2027-02-01T12:30:00Z}}],"))
    taken = await until_working(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")
    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")

    assert await when(driver, box, time, "2027-02-01T12:31:00Z") == 1

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("outcome", "ana")


async def test_a_dispute_is_decided_by_somebody_who_is_there(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, ("maria@northgate.example, role: manager,", f"maria@northgate.example, role: manager, {AWAY}, deputy: marcus,"))
    taken = await until_assigned(driver, box)
    answer_by_link(box, taken, "rejected", reason="not-now")
    time.at += timedelta(minutes=6)
    await driver.settle()
    answer_id = box.read_now(lambda session, now: session.exec(select(Answer.id).where(Answer.kind == "rejected")).one())
    row = box.write_now(lambda session, now: rulings.raise_dispute(session, answer_id, "mina", "They asked by name.", now=now))
    await driver.settle()

    assert await when(driver, box, time, "2027-02-01T12:01:00Z") == 1

    assert the(box.read_now(lambda session, now: session.get(Dispute, row.id))).holder == "marcus"
    assert letters(box, "dispute-raised") == ["maria", "marcus"]
    assert await hand_over_absences(box) == 0


async def test_the_manager_who_decides_for_an_absent_rep_may_still_leave_it_there(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    staff(box, (ANA, f"{ANA} {AWAY},"))
    taken = await until_working(driver, box, **BY_POINTS)
    await when(driver, box, time, "2027-02-01T12:01:00Z")
    answer_by_duty(box, taken, "decided", choice="give-back")
    time.at += timedelta(minutes=6)
    await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("outcome", "ana")
