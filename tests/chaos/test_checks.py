"""The checks of a chaos run find what they are there to find: each is shown the fault that it is for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from benchmarks.chaos import checks
from benchmarks.chaos.lateness import late_deadlines
from benchmarks.chaos.leads import SOURCE
from benchmarks.chaos.outages import Outages
from storage import time_offset
from storage.tables import Activity, Delivery, Event, Handoff, LeadSource, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.stage import Taken, capture


async def a_lead(box: Toolbox, driver: Driver) -> Taken:
    """One that waits for its rep."""
    taken = capture(box, source=SOURCE)
    await driver.settle()
    return taken


def found(box: Toolbox, check: Callable[..., list[str]], *more: object) -> list[str]:
    return box.read_now(lambda session, now: check(session, *more))


async def test_where_all_is_well_no_check_finds_anything(box: Toolbox, driver: Driver) -> None:
    taken = await a_lead(box, driver)

    assert found(box, checks.captured_once, {taken.source_id: [taken.lead_id] * 2}) == []
    assert found(box, checks.owned) == []
    assert found(box, checks.missed_with_reason) == []
    assert box.read_now(checks.at_rest) == []


async def test_a_lead_that_is_gone_or_there_twice_is_found(box: Toolbox, driver: Driver) -> None:
    taken, other = await a_lead(box, driver), await a_lead(box, driver)
    numbers = {taken.source_id: [taken.lead_id, other.lead_id], other.source_id: [other.lead_id], "c99": [99]}

    def forget(session: Session, now: datetime) -> None:
        session.add(Activity(lead_id=other.lead_id, key="again", kind="demo_requested", at=now, received_at=now))

    box.write_now(forget)
    told = found(box, checks.captured_once, numbers)

    assert "lead c99 was taken in and is not there" in told
    assert f"lead {taken.source_id} is {taken.lead_id}, and its webhooks were answered [{taken.lead_id}, {other.lead_id}]" in told
    assert f"lead {other.source_id} has 2 activities instead of one" in told
    assert "2 leads are there instead of 3" in told
    assert box.read_now(lambda session, now: session.get(LeadSource, (SOURCE, taken.source_id))) is not None


async def test_a_lead_that_nobody_owes_anything_is_found(box: Toolbox, driver: Driver) -> None:
    taken, other = await a_lead(box, driver), await a_lead(box, driver)

    def lose(session: Session, now: datetime) -> None:
        wait = session.exec(select(Wait).where(col(Wait.closed_at).is_(None))).first()
        assert wait is not None
        wait.closed_at = now
        second = session.exec(select(Handoff).where(Handoff.lead_id == other.lead_id)).one()
        second.stage, second.track = "stuck", "assigned"
        session.add_all([wait, second])

    box.write_now(lose)

    told = found(box, checks.owned)
    assert any(one.startswith(f"lead {taken.lead_id}, assigned, has owner") for one in told)
    assert f"lead {other.lead_id} is stuck in assigned" in told


async def test_a_message_left_half_sent_and_a_deadline_left_unread_are_found(box: Toolbox, driver: Driver, time: SteppedTime) -> None:
    await a_lead(box, driver)

    def leave(session: Session, now: datetime) -> None:
        row = session.exec(select(Delivery)).first()
        assert row is not None
        row.state = "sending"
        session.add(row)

    box.write_now(leave)
    time.at += timedelta(days=30)

    told = box.read_now(checks.at_rest)
    assert any(one.endswith("is left sending") for one in told)
    assert any("nothing came of it" in one for one in told)


async def test_a_missed_deadline_of_which_the_trail_says_nothing_is_found(box: Toolbox, driver: Driver, time: SteppedTime) -> None:
    await a_lead(box, driver)
    time.at += timedelta(days=3)
    await driver.settle()
    assert found(box, checks.missed_with_reason) == []

    def silence(session: Session, now: datetime) -> None:
        for event in session.exec(select(Event).where(Event.kind == "missed")):
            session.delete(event)

    box.write_now(silence)

    assert any("the trail does not say why" in one for one in found(box, checks.missed_with_reason))


async def test_a_deadline_noticed_long_after_it_fell_due_is_late(box: Toolbox, driver: Driver, time: SteppedTime) -> None:
    """Three days in one leap, and nothing that explains it."""
    box.write_now(lambda session, now: time_offset.leap_to(session, time.at))
    await a_lead(box, driver)
    time.at += timedelta(days=3)
    box.write_now(lambda session, now: time_offset.leap_to(session, time.at))
    await driver.settle()

    late = box.read_now(lambda session, now: late_deadlines(session, Outages()))

    assert late
    assert late[0].by > timedelta(days=1)
    assert late[0].reasons == ()


def test_two_messages_under_one_key_are_found() -> None:
    assert checks.nothing_twice({}, ["a", "b", "", ""]) == []
    assert len(checks.nothing_twice({"a": 2}, ["b", "b", "c"])) == 2
