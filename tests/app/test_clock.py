"""The clock: it delivers until an attempt has read, and survives whatever is away or broken."""

from __future__ import annotations

import asyncio
import logging

import pytest
from sqlmodel import Session, select

from agreements.errors import CrmError
from app.clock import Clock
from app.deadlines import LONGEST_PUT_OFF
from app.hand_over import BEGIN_AT_ONCE
from storage.tables import AgreementVersion, Answer, Handoff
from tasks import intake
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.shaky import ShakyRuns, assigned, delivered_earlier, delivered_just_now, driver, look_afresh, runs, wakes_of
from tests.deal import wait_of
from tests.driver import Driver
from tests.fakes import make_lead
from tests.patience import PATIENCE_SECONDS
from tests.present import the
from tests.stage import answer_by_link, capture, events_of, newest

__all__ = ["driver", "runs"]


async def test_one_bad_row_does_not_stop_the_sweep(
    driver: Driver, runs: ShakyRuns, box: Toolbox, time: SteppedTime, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = await assigned(driver, box), await assigned(driver, box)
    runs.broken.add(newest(box, bad).id)
    time.at = wait_of(box, good).due_at

    await driver.settle()

    assert newest(box, good).climbed == {"acceptance": [0]}
    assert newest(box, bad).climbed == {}
    assert "could not be looked at; the others go on" in caplog.text


async def test_bad_rows_that_fill_a_sweep_do_not_keep_the_others_waiting(
    driver: Driver, runs: ShakyRuns, box: Toolbox, time: SteppedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are put off for a while, and the next sweep has room. A clock that ticks seldom puts them off for longest."""
    monkeypatch.setattr("app.deadlines.ROUND", 2)
    driver.clock = Clock(box, runs, tick_seconds=LONGEST_PUT_OFF)
    bad = [await assigned(driver, box) for _ in range(2)]
    good = await assigned(driver, box)
    runs.broken.update(newest(box, one).id for one in bad)
    time.at = wait_of(box, good).due_at

    await driver.settle()
    await driver.settle()

    assert newest(box, good).climbed == {"acceptance": [0]}


async def test_one_bad_run_does_not_stop_the_others_from_starting(
    driver: Driver, runs: ShakyRuns, box: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = capture(box), capture(box)
    runs.broken.add(newest(box, bad).id)

    await driver.settle()

    assert [newest(box, one).stage for one in (bad, good)] == ["inquiry", "assigned"]
    assert "could not be delivered; the others go on" in caplog.text


async def test_a_wake_that_was_delivered_and_not_read_is_delivered_again_after_30_seconds(
    driver: Driver, runs: ShakyRuns, box: Toolbox
) -> None:
    taken = await assigned(driver, box)
    answer_by_link(box, taken, "accepted")
    runs.swallows = True
    await driver.settle()
    asked = len(runs.asked)

    delivered_just_now(box)
    await the(driver.clock.hand_over).deliver()
    assert len(runs.asked) == asked
    delivered_earlier(box, 31)
    runs.swallows = False
    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    assert wakes_of(box, taken) == []


async def test_a_run_that_is_on_its_way_is_asked_again_and_nothing_is_lost(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    parked = dict(runs.parked)
    runs.parked.clear()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    assert newest(box, taken).stage == "assigned"

    runs.parked.update(parked)
    await driver.settle()

    assert newest(box, taken).stage == "accepted"


async def test_an_engine_that_is_away_is_survived_and_logged_once(
    driver: Driver, runs: ShakyRuns, box: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    taken = await assigned(driver, box)
    runs.away = True
    answer_by_link(box, taken, "accepted")
    for _ in range(3):
        await driver.clock.tick()

    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "answers are stored and go on when it is back" in told[0].getMessage()
    runs.away = False
    await driver.settle()
    assert newest(box, taken).stage == "accepted"


async def test_an_engine_that_goes_away_again_is_logged_again(
    driver: Driver, runs: ShakyRuns, box: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    several = [await assigned(driver, box) for _ in range(3)]
    for taken, away in zip(several, (True, False, True), strict=True):
        runs.away = away
        answer_by_link(box, taken, "accepted")
        await driver.clock.tick()

    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 2


async def test_a_crm_that_is_away_does_not_hold_up_deadlines(
    driver: Driver, box: Toolbox, time: SteppedTime, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = await assigned(driver, box)

    async def refuse(bookmark: str) -> None:
        raise CrmError("the CRM does not answer")

    monkeypatch.setattr(box.crm, "changes_since", refuse)
    time.at = wait_of(box, taken).due_at

    await driver.settle()

    assert newest(box, taken).climbed == {"acceptance": [0]}
    assert "the CRM does not answer" in caplog.text


async def test_leads_are_taken_in_while_the_engine_is_away_and_start_when_it_is_back(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    runs.away = True
    taken = capture(box)
    await driver.settle()
    runs.away = False

    await driver.settle()

    assert newest(box, taken).stage == "assigned"


async def test_an_answer_in_the_engines_window_comes_before_the_deadline(
    driver: Driver, runs: ShakyRuns, box: Toolbox, time: SteppedTime
) -> None:
    taken = await assigned(driver, box)
    runs.parked.clear()
    runs.collects = True
    time.at = wait_of(box, taken).due_at

    await driver.clock.deadlines.missed()

    assert box.read_now(lambda session, now: session.exec(select(Answer)).all()) == []


async def test_a_run_that_was_resumed_and_says_nothing_is_woken_to_look(
    driver: Driver, runs: ShakyRuns, box: Toolbox, time: SteppedTime
) -> None:
    taken = await assigned(driver, box)
    runs.parked.clear()
    time.at = wait_of(box, taken).due_at

    await driver.clock.deadlines.missed()
    await driver.clock.deadlines.missed()

    assert wakes_of(box, taken) == ["look"]


async def test_leads_held_for_want_of_an_agreement_start_when_one_is_in_force(driver: Driver, box: Toolbox) -> None:
    def close(session: Session, closed: bool) -> None:
        the(session.get(AgreementVersion, ("b2b-saas", 1))).closed = closed

    box.write_now(lambda session, now: close(session, True))
    taken = capture(box)
    on_purpose = box.write_now(lambda session, now: intake.capture(session, make_lead(), now=now, hold=True))
    await driver.settle()
    assert newest(box, taken).held
    box.write_now(lambda session, now: close(session, False))

    await look_afresh(driver)
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert box.read_now(lambda session, now: the(session.get(Handoff, on_purpose.handoff_id)).held)


async def test_what_happened_is_sealed_into_the_trail(driver: Driver, box: Toolbox) -> None:
    taken = await assigned(driver, box)

    await look_afresh(driver)

    assert all(event.seal_id for event in events_of(box, taken))


async def test_a_part_of_the_clock_that_fails_holds_up_no_other_and_is_told_in_full_once(
    box: Toolbox, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = asyncio.Event()

    class Fails(ShakyRuns):
        failures = 0

        async def resumed(self) -> list[str]:
            self.failures += 1
            if self.failures == 1:
                capture(box)
            if self.failures >= 3 and self.ready:
                stop.set()
            raise RuntimeError("nobody thought of this")

    clock = Clock(box, Fails(), tick_seconds=0.001)
    monkeypatch.setattr("app.clock_parts.RESUMED_SECONDS", 0.0)
    await asyncio.wait_for(clock.run(stop), PATIENCE_SECONDS)

    told = [record for record in caplog.records if "answers in Prefect failed, and will be tried again" in record.getMessage()]
    assert [bool(record.exc_info) for record in told[:3]] == [True, False, False]


async def test_whoever_asks_by_itself_is_not_behind_a_list_that_is_imported(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    listed = [capture(box, activity="trade_show_visit") for _ in range(BEGIN_AT_ONCE + 10)]
    asks = capture(box)

    await the(driver.clock.hand_over).deliver()

    assert len(runs.ready) == BEGIN_AT_ONCE + 1
    assert runs.ready[0] == newest(box, asks).id
    assert newest(box, listed[-1]).flow_run_id == ""


async def test_while_many_are_under_way_no_more_of_a_list_are_begun_but_the_next_who_asks_is(
    driver: Driver, runs: ShakyRuns, box: Toolbox
) -> None:
    for _ in range(BEGIN_AT_ONCE + 10):
        capture(box, activity="trade_show_visit")
    await the(driver.clock.hand_over).deliver()
    delivered_just_now(box)
    asks = capture(box)

    await the(driver.clock.hand_over).deliver()

    assert runs.ready[BEGIN_AT_ONCE:] == [newest(box, asks).id]


async def test_an_imported_list_is_begun_to_its_end(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    listed = [capture(box, email=f"n{number}@mailinator.com") for number in range(BEGIN_AT_ONCE + 10)]

    await driver.settle()

    assert len(listed) == BEGIN_AT_ONCE + 10
    assert {newest(box, one).stage for one in listed} == {"disqualified"}


async def test_what_fails_again_and_again_is_tried_more_seldom_and_told_in_full_once(
    driver: Driver, runs: ShakyRuns, box: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    bad = capture(box)
    runs.broken.add(newest(box, bad).id)

    for _ in range(4):
        await the(driver.clock.hand_over).deliver()

    told = [record for record in caplog.records if "could not be delivered" in record.getMessage()]
    assert [bool(record.exc_info) for record in told] == [True, False]
    assert len([asked for asked in runs.asked if asked.startswith("create")]) == 2
    assert newest(box, bad).retry_at is not None


async def test_runs_that_cannot_be_moved_keep_nobody_waiting(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    """They are left alone for a while, and whoever comes later is moved in the next round."""
    bad = [capture(box, activity="trade_show_visit") for _ in range(3)]
    runs.broken.update(newest(box, one).id for one in bad)
    for _ in range(2):
        await the(driver.clock.hand_over).deliver()
    good = capture(box)

    await the(driver.clock.hand_over).deliver()

    assert runs.ready == [newest(box, good).id]
