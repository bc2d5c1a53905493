"""Where the time of real leads went: carried through the real steps, with the parts recounted from the rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from agreements.where_time_went import TimeParty, summed, where_time_went
from agreements.words import SEVERAL
from storage import handoffs, lives
from storage.tables import Handoff
from tasks import intake
from tasks.background.absences import hand_over_absences
from tasks.background.held_leads import release_held
from tasks.disputes import rulings
from tasks.steps import merging
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import BY_POINTS, NOT_YET, agree_on, does, staff, until_accepted, until_working
from tests.driver import Driver
from tests.fakes import make_lead
from tests.lived import ages, wrong_ages
from tests.stage import Taken, answer_by_link, capture, newest
from tests.tasks.disputes.test_rulings import answer_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NOON = MONDAY + 3 * HOUR


def parts_of(box: Toolbox, taken: Taken) -> dict[TimeParty, timedelta]:
    """Whose the time of this lead was so far."""

    def find(session: Session, now: datetime) -> dict[TimeParty, timedelta]:
        (life,) = lives.of(session, [taken.lead_id])
        return {party: part for party, part in summed(where_time_went(life, now=now)).items() if part}

    return box.read_now(find)


def sums(box: Toolbox, since: datetime, until: datetime) -> dict[TimeParty, timedelta]:
    return box.read_now(lambda session, now: lives.sums(session, since=since, until=until, now=now))


async def test_the_open_hours_are_the_reps_and_the_night_is_closed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, at=MONDAY - 10 * timedelta(minutes=1))
    await driver.settle()
    time.at += HOUR
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    time.at += DAY

    parts = parts_of(box, taken)

    assert parts["source"] == timedelta(minutes=10)
    assert parts["rep"] == HOUR + timedelta(hours=7, minutes=30)
    assert parts["closed hours"] == timedelta(hours=16, minutes=30)
    assert sum(parts.values(), timedelta()) == DAY + HOUR + timedelta(minutes=10)


async def test_a_contact_time_that_the_lead_asked_for_is_its_wish_until_then(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box, requested_time=MONDAY + 3 * HOUR)
    time.at += 4 * HOUR

    assert parts_of(box, taken)["prospect's wish"] == 3 * HOUR


async def test_a_lead_that_is_held_is_marketings_until_its_release(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    incoming = make_lead()
    done = box.write_now(lambda session, now: intake.capture(session, incoming, now=now, hold=True))
    taken = Taken(done.lead_id, incoming.source_id, incoming, done.kind)
    time.at += DAY
    assert await release_held(box) == 1
    await driver.settle()
    time.at += HOUR

    assert parts_of(box, taken) == {"marketing": DAY, "rep": HOUR}


async def test_a_ruling_is_the_managers_and_the_lead_goes_back_to_its_rep(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += HOUR
    answer = answer_of(box, taken)
    dispute = box.write_now(lambda session, now: rulings.raise_dispute(session, answer, "mina", "Wrong", now=now))
    time.at += HOUR
    box.write_now(lambda session, now: rulings.decide(session, dispute.id, "overturned", "maria", now=now, text="", via="link"))
    await driver.settle()
    time.at += HOUR

    assert parts_of(box, taken) == {"nurture": HOUR, "manager": HOUR, "rep": HOUR}


async def test_while_baton_is_stuck_the_rep_owes_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    time.at += HOUR
    move(box, taken, "got-stuck")
    time.at += HOUR
    move(box, taken, "working-again")
    time.at += HOUR

    assert parts_of(box, taken) == {"rep": 2 * HOUR, "routing": HOUR}


def move(box: Toolbox, taken: Taken, event: str) -> None:
    def work(session: Session, now: datetime) -> None:
        handoffs.move(session, handoffs.get(session, newest(box, taken).id), event, now=now)  # type: ignore[arg-type]

    box.write_now(work)


async def test_while_the_rep_is_away_and_keeps_the_lead_the_rep_owes_nothing(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["routing"].update(on_leave={"working": "keep"}))
    staff(box, ("ana@northgate.example, team: emea,", f"ana@northgate.example, team: emea, away: [{{from: {NOON}, until: {NOON + DAY}}}],"))
    taken = await until_working(driver, box)
    time.at = NOON
    await hand_over_absences(box)
    await driver.settle()
    time.at = NOON + DAY + HOUR / 2

    assert newest(box, taken).rep == "ana"
    assert parts_of(box, taken) == {"rep": 3 * HOUR + HOUR / 2, "closed hours": DAY}


async def test_a_clock_that_names_a_calendar_is_closed_with_it_also_while_several_are_asked(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    def agreed(tree: dict[str, Any]) -> None:
        tree["calendars"]["afternoon"] = {"timezone": "Europe/London", "hours": {"mon-fri": "12:00-18:00"}}
        tree["clocks"]["acceptance"]["calendar"] = "afternoon"
        tree["tiers"][0]["routing"] = "first-to-claim"

    agree_on(box, agreed)
    taken = capture(box)
    await driver.settle()
    time.at = MONDAY + 5 * HOUR

    assert newest(box, taken).rep == SEVERAL
    assert parts_of(box, taken) == {"rep": 2 * HOUR, "closed hours": 3 * HOUR}


async def some_leads(driver: Driver, box: Toolbox) -> list[Taken]:
    """Leads of many kinds over a month: sent late, left alone, given back, nurtured, asking again, an opportunity, and two merged."""
    late, alone, nurtured = capture(box, at=MONDAY - DAY), capture(box, **BY_POINTS), capture(box, **NOT_YET)
    back, corrected, won = [await until_working(driver, box) for _ in range(3)]
    driver.time.at += HOUR
    answer_by_link(box, back, "returned", reason="not-now")
    answer_by_link(box, corrected, "returned", reason="bad-data")
    answer_by_link(box, won, "opportunity")
    await driver.run(until=MONDAY + DAY)
    driver.time.at += 20 * DAY
    for taken in (nurtured, back, won):
        does(box, taken, "demo_requested", at=driver.time.at - 3 * HOUR)
    await driver.settle()
    box.write_now(lambda session, now: merging.merge(session, alone.lead_id, late.lead_id, by="mina", now=now))
    await driver.settle()
    driver.time.at += DAY
    return [late, alone, nurtured, back, corrected, won]


async def test_the_parts_of_lives_of_all_kinds_add_up_to_their_ages(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await some_leads(driver, box)

    assert wrong_ages(box) == {}
    of_all = sums(box, MONDAY - 30 * DAY, time.at)
    assert sum_of([of_all]) == sum_of([parts_of(box, one) for one in taken])
    assert {"source", "rep", "closed hours", "nurture", "marketing"} <= set(sum_of([of_all]))
    weeks = [sums(box, MONDAY + number * 7 * DAY, MONDAY + (number + 1) * 7 * DAY) for number in range(-1, 5)]
    assert sum_of(weeks) == sum_of([of_all])
    by_sql = box.read_now(lambda session, now: ages(session, now=now))
    assert sum(of_all.values(), timedelta()) == sum(by_sql.values(), timedelta())


async def test_rows_that_a_clock_set_back_has_left_count_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    time.at += DAY
    set_back = update(Handoff).where(col(Handoff.lead_id) == taken.lead_id)
    box.write_now(lambda session, now: session.execute(set_back.values(created_at=now, mql_at=MONDAY - DAY)))
    time.at += HOUR

    parts = parts_of(box, taken)

    assert sum(parts.values(), timedelta()) == DAY + HOUR


async def test_a_lead_that_came_twice_has_one_age(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    again = taken.incoming.model_copy(update={"source_id": "another"})
    box.write_now(lambda session, now: intake.capture(session, again, now=now))
    await driver.settle()
    time.at += HOUR

    assert parts_of(box, taken) == {"rep": HOUR}
    assert sums(box, MONDAY, time.at)["rep"] == HOUR


def sum_of(found: list[dict[TimeParty, timedelta]]) -> Mapping[TimeParty, timedelta]:
    """The parts of all of them, by party; a party without any time is left out."""
    whole: dict[TimeParty, timedelta] = {}
    for parts in found:
        for party, part in parts.items():
            whole[party] = whole.get(party, timedelta()) + part
    return {party: part for party, part in whole.items() if part}
