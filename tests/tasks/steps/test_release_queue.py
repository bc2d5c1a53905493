"""A list is given out at the reps' pace: so many each in a working day, nobody forgotten, and a request never behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from storage import figures, handoffs
from storage.crm.port import Account
from storage.tables import Assignment, Event, Handoff, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, does, staff, tenures, wait_if_any, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, local_crm, newest

DAY = timedelta(days=1)
MONDAY_9, MONDAY_CLOSE = datetime.fromisoformat("2027-02-01T09:00:00+00:00"), datetime.fromisoformat("2027-02-01T17:30:00+00:00")
#: A badge that was scanned: qualified by points, and on the list.
SCANNED = {"activity": "trade_show_visit", "entry_channel": "trade_show"}
EMIL_IS_HERE = ("    away: [{from: 2027-01-11T00:00:00Z, until: 2027-02-08T00:00:00Z}]\n", "")


def a_list(per_rep: int = 2, **changes: Any) -> Callable[[dict[str, Any]], object]:
    """The example with a tier for trade shows that is released by the day."""

    def change(tree: dict[str, Any]) -> None:
        listed = {
            "name": "list",
            "when": {"entry_channel": "trade_show"},
            "release": f"{per_rep} per rep per working day",
            "channels": ["email", "crm"],
        }
        tree["tiers"].insert(1, listed)
        tree["clocks"]["delivery"]["within"]["list"] = "per release plan"
        for name, value in changes.items():
            tree["routing"][name] = value

    return change


def scan(box: Toolbox, count: int) -> list[Taken]:
    """So many badges, one after the other."""
    return [capture(box, **SCANNED) for _ in range(count)]


def given(box: Toolbox) -> Counter[tuple[str, str]]:
    """How many leads of the list each rep got on each day."""
    query = select(Assignment).where(Assignment.tier == "list").order_by(col(Assignment.assigned_at))
    rows = box.read_now(lambda session, now: list(session.exec(query)))
    return Counter((f"{row.assigned_at:%a %d %b}".removesuffix(" Feb"), row.rep) for row in rows)


def turn_down(box: Toolbox, taken: list[Taken]) -> None:
    """Every rep who has one of these answers at once, so that none lapses and comes back to the line."""
    asked = asked_to_accept(box)
    for one in taken:
        if one.lead_id in asked:
            answer_by_link(box, one, "rejected", reason="not-icp")


def asked_to_accept(box: Toolbox) -> set[int]:
    """The leads that a rep has and has not answered yet, found in one statement."""
    query = select(Handoff.lead_id).join(Wait, col(Wait.handoff_id) == col(Handoff.id))
    open_ones = query.where(Wait.kind == "acceptance", col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    return set(box.read_now(lambda session, now: list(session.exec(open_ones))))


async def until(driver: Driver, box: Toolbox, taken: list[Taken], end: datetime) -> None:
    """Goes on until then, all that is assigned being answered an hour later at most."""
    while driver.time.at < end:
        turn_down(box, taken)
        await driver.run(until=min(end, driver.time.at + timedelta(hours=1)))
        driver.time.at = max(driver.time.at, min(end, driver.time.at + timedelta(hours=1)))


def planned(box: Toolbox, taken: Taken) -> tuple[str, datetime, datetime]:
    """What a lead in line waits for: its turn, and by when the delivery is due."""
    wait = wait_of(box, taken)
    return f"{wait.kind} {wait.about}", wait.next_at, wait.due_at


async def test_each_rep_gets_as_many_of_the_list_today_as_agreed(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list())
    scan(box, 10)

    await driver.settle()

    assert given(box) == {("Mon 01", "ana"): 2, ("Mon 01", "ben"): 2, ("Mon 01", "cleo"): 2}


async def test_the_rest_stands_in_line_with_its_turn_planned_and_due_by_the_end_of_that_day(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list())
    taken = scan(box, 14)

    await driver.settle()

    assert planned(box, taken[6]) == ("delivery release", MONDAY_9 + DAY, MONDAY_CLOSE + DAY)
    assert planned(box, taken[11]) == ("delivery release", MONDAY_9 + DAY, MONDAY_CLOSE + DAY)
    assert planned(box, taken[12]) == ("delivery release", MONDAY_9 + 2 * DAY, MONDAY_CLOSE + 2 * DAY)
    [held] = [event for event in events_of(box, taken[12]) if event.kind == "held"]
    assert held.data["why"] == "today's share is given out: the lead waits in the queue, planned for Wed 3 Feb 09:00"


async def test_a_lead_in_line_is_woken_once_on_its_morning(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, a_list())
    taken = scan(box, 9)
    await driver.settle()
    before = newest(box, taken[8]).epoch

    await until(driver, box, taken, MONDAY_9 + DAY - timedelta(minutes=1))
    assert newest(box, taken[8]).epoch == before
    await until(driver, box, taken, MONDAY_9 + DAY)

    assert newest(box, taken[8]).stage == "assigned"
    assert newest(box, taken[8]).epoch == before + 1


async def test_weekends_and_holidays_are_no_days_for_a_list(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    time.at = MONDAY_9 + 4 * DAY
    agree_on(box, a_list(per_rep=1))
    taken = scan(box, 6)

    await driver.settle()
    await until(driver, box, taken, MONDAY_9 + 7 * DAY)

    assert [day for day, _ in given(box)] == ["Fri 05"] * 3 + ["Mon 08"] * 3


async def test_what_comes_outside_hours_waits_for_the_opening(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    time.at = MONDAY_9 - timedelta(hours=2)
    agree_on(box, a_list())
    [taken] = scan(box, 1)

    await driver.settle()

    assert planned(box, taken) == ("delivery release", MONDAY_9, MONDAY_CLOSE)


async def test_a_demo_request_is_never_behind_the_list(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Not behind those in line, nor behind what the reps have of it."""
    agree_on(box, a_list(per_rep=2, capacity={"per_rep": 2}))
    scan(box, 30)
    await driver.settle()

    taken = capture(box)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).tier) == ("assigned", "hot")
    assert newest(box, taken).rep in ("ana", "ben", "cleo")


async def test_who_stands_in_line_and_asks_by_itself_leaves_it_at_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, a_list())
    taken = scan(box, 12)[-1]
    await driver.settle()
    assert wait_of(box, taken).about == "release"
    time.at += timedelta(minutes=3)

    does(box, taken, "demo_requested", **{"entry_channel": "trade_show"})
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).tier) == ("assigned", "hot")
    [rescored] = [event for event in events_of(box, taken) if event.kind == "rescored"]
    assert (rescored.data["was_tier"], rescored.data["tier"]) == ("list", "hot")


async def test_a_request_that_finds_nobody_is_due_as_a_request(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Not by the plan of the list it stood on before."""
    agree_on(box, a_list(everyone_full="manager", capacity={"per_rep": 1}))
    requests = [capture(box) for _ in range(3)]
    taken = scan(box, 12)[-1]
    await driver.settle()
    assert {newest(box, one).stage for one in requests} == {"assigned"}
    time.at += timedelta(minutes=3)

    does(box, taken, "demo_requested", entry_channel="trade_show")
    await driver.settle()

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")


async def test_who_is_earlier_in_line_gets_what_becomes_free(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """A rep comes back: the next in line come today already, a lead that comes in now stands behind them."""
    agree_on(box, a_list())
    taken = scan(box, 10)
    await driver.settle()
    time.at += timedelta(minutes=30)
    staff(box, EMIL_IS_HERE)
    late = scan(box, 1)[0]
    await driver.settle()
    assert wait_of(box, late).about == "release"

    await until(driver, box, [*taken, late], MONDAY_9 + DAY)

    assert given(box)[("Mon 01", "emil")] == 2
    assert [tenures(box, one)[0].rep for one in taken[6:8]] == ["emil", "emil"]
    assert [newest(box, one).stage for one in (*taken[8:], late)] == ["assigned"] * 3


async def test_when_those_before_it_leave_the_line_the_next_ones_come_sooner(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, a_list())
    taken = scan(box, 18)
    await driver.settle()

    def leave(session: Session, now: datetime) -> None:
        for one in taken[6:11]:
            handoffs.move(session, the(handoffs.latest_of(session, one.lead_id)), "disqualified", now=now, reason="test")

    box.write_now(leave)
    await until(driver, box, taken, MONDAY_9 + DAY)

    assert sum(count for (day, _), count in given(box).items() if day == "Tue 02") == 6
    assert [newest(box, one).stage for one in taken[11:17]] == ["assigned"] * 6


async def test_a_rep_who_is_full_gets_no_more_of_the_list_and_nobody_else_more_than_agreed(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """Whatever is agreed for others when everyone is full: a list waits."""
    agree_on(box, a_list(per_rep=2, capacity={"per_rep": 3}))
    taken = [capture(box, requested_time=MONDAY_9 + 4 * DAY, **SCANNED) for _ in range(12)]
    for day in range(3):
        await driver.run(until=MONDAY_9 + day * DAY)
        for one in taken:
            if (wait := wait_if_any(box, one)) and wait.kind == "acceptance":
                answer_by_link(box, one, "accepted")

    assert given(box) == {(day, rep): count for day, count in (("Mon 01", 2), ("Tue 02", 1)) for rep in ("ana", "ben", "cleo")}
    assert wait_of(box, taken[9]).next_at == MONDAY_9 + 3 * DAY
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).unaccounted == 0


async def test_a_lead_of_the_list_that_its_rep_lets_lapse_counts_for_the_next_one_too(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(
        box,
        a_list(per_rep=1),
    )
    scan(box, 3)
    await driver.settle()

    await driver.run(until=MONDAY_CLOSE)

    assert set(given(box).values()) == {1}


async def test_a_colleague_who_is_named_gets_it_out_of_line(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=1))
    taken = scan(box, 3)[0]
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="wrong-rep", colleague="cleo")
    await driver.settle()

    assert [one.rep for one in tenures(box, taken)] == ["ana", "cleo"]


async def test_the_owner_of_an_account_has_a_line_of_their_own(driver: Driver, box: Toolbox) -> None:
    agree_on(
        box,
        lambda tree: (
            a_list(per_rep=1)(tree),
            tree["screen"].insert(0, {"when": {"account.owner": "ben"}, "then": "route", "tier": "list"}),
        ),
    )
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])
    taken = [capture(box, company="Harbour", **SCANNED) for _ in range(3)]
    other = scan(box, 1)[0]

    await driver.settle()

    assert [newest(box, one).stage for one in taken] == ["assigned", "mql", "mql"]
    assert [wait_of(box, one).next_at for one in taken[1:]] == [MONDAY_9 + DAY, MONDAY_9 + 2 * DAY]
    assert newest(box, other).rep == "ana"


async def test_while_everyone_is_away_a_list_waits_for_who_is_back_first(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    changes = []
    for name, day in (("ana", "10"), ("ben", "09"), ("cleo", "11")):
        was = f"{name}@northgate.example, team: emea,"
        changes.append((was, f"{was} away: [{{from: 2027-01-11T00:00:00Z, until: 2027-02-{day}T00:00:00Z}}],"))
    staff(box, *changes)
    agree_on(box, a_list())
    taken = scan(box, 1)[0]
    await driver.settle()
    assert planned(box, taken)[1] == MONDAY_9 + 7 * DAY

    await driver.run(until=MONDAY_9 + 7 * DAY)

    assert newest(box, taken).rep == "emil"


async def test_no_segment_gives_the_default_acceptor_a_list_at_a_pace_too(driver: Driver, box: Toolbox) -> None:
    agree_on(box, a_list(per_rep=2, segments=[{"when": {"country": "US"}, "team": "americas"}]))
    scan(box, 5)

    await driver.settle()

    assert given(box) == {("Mon 01", "dora"): 2}


async def work_the_list(driver: Driver, box: Toolbox, leads: int, per_rep: int) -> list[int]:
    """A list comes on Monday morning, four reps turn down what they get within the hour; attempts by day."""
    staff(box, EMIL_IS_HERE)
    agree_on(box, a_list(per_rep=per_rep))
    taken = {one.lead_id: one for one in scan(box, leads)}

    def answer() -> None:
        open_ones = select(Assignment.lead_id).where(col(Assignment.ended_at).is_(None))
        turn_down(box, [taken[one] for one in box.read_now(lambda session, now: list(session.exec(open_ones)))])

    attempts: list[int] = []
    before = 0
    for day in range(7 * leads // (5 * 4 * per_rep) + 5):
        driver.plan(MONDAY_9 + day * DAY + timedelta(minutes=30), answer)
        await driver.run(until=MONDAY_9 + day * DAY + timedelta(hours=14))
        whole = box.read_now(lambda session, now: sum(session.exec(select(Handoff.epoch))))
        attempts, before = [*attempts, whole - before], whole
    return attempts


@pytest.mark.parametrize(("leads", "per_rep"), [(24, 2), pytest.param(400, 10, marks=pytest.mark.timeout(900))], ids=["a few", "400"])
@pytest.mark.long
async def test_a_list_is_given_out_at_the_pace_of_four_reps_and_nobody_is_forgotten(
    driver: Driver, box: Toolbox, leads: int, per_rep: int
) -> None:
    attempts = await work_the_list(driver, box, leads, per_rep)

    by_day = given(box)
    assert set(by_day.values()) == {per_rep}
    assert len({day for day, _ in by_day}) == leads // (4 * per_rep)
    assert sum(by_day.values()) == leads
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.leads, found.unaccounted, found.stages) == (leads, 0, {"disqualified": leads})
    assert box.read_now(lambda session, now: list(session.exec(select(Event).where(Event.kind == "missed")))) == []
    # Each lead is looked at once when it comes in. A morning's work is that of those whose turn it is: woken, and carried out
    # when it is answered; nobody else is looked at.
    assert attempts[0] == leads + 4 * per_rep
    assert max(attempts[1:]) == 4 * per_rep * 2
