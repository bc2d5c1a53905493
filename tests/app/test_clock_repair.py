"""What was left lying is mended: runs that are missing, cancelled or failing, and attempts that died."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from agreements.errors import CrmError
from app.cli import app as cli
from storage import figures
from storage import time_offset as leaps
from storage.leases import MAX_FAILURES
from tasks.background import alarms
from tasks.wiring import toolbox
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.shaky import A_LONG_WHILE, ShakyRuns, assigned, change, driver, look_afresh, runs, wakes_of
from tests.deal import letters, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, newest

__all__ = ["driver", "runs"]


async def test_a_run_that_is_missing_is_replaced_by_a_new_one(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    runs.ended_runs.add(newest(box, taken).flow_run_id)
    answer_by_link(box, taken, "accepted")

    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.run_no, handoff.flow_run_id) == ("accepted", 1, f"run-{handoff.id}-1")
    assert runs.asked.count(f"create {handoff.id}:1") == 1


async def test_an_open_handoff_whose_run_has_ended_without_it_gets_a_new_one(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    runs.ended_runs.add(newest(box, taken).flow_run_id)

    await look_afresh(driver)
    await driver.settle()

    assert newest(box, taken).run_no == 1
    assert newest(box, taken).stage == "assigned"
    assert wait_of(box, taken).kind == "acceptance"


@pytest.mark.parametrize("seen", ["when it is woken", "by itself"])
async def test_a_cancelled_run_takes_nothing_away_and_the_lead_is_stuck_until_somebody_decides(
    driver: Driver, runs: ShakyRuns, box: Toolbox, time: SteppedTime, seen: str
) -> None:
    taken = await assigned(driver, box)
    runs.cancelled.add(newest(box, taken).flow_run_id)
    if seen == "when it is woken":
        answer_by_link(box, taken, "accepted")
        await driver.settle()
    else:
        await look_afresh(driver)
        await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.track, handoff.owner) == ("stuck", "assigned", "operator")
    assert "run-cancelled" in [event.kind for event in events_of(box, taken)]
    await alarms.look(box, real=time.at)
    await driver.clock.personal_messages()
    assert letters(box, "alarm-told") == ["oscar"]
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).unaccounted == 0


async def fail(driver: Driver, box: Toolbox, taken: Taken) -> None:
    """One attempt that fails, and the time until the next one."""
    with pytest.raises(CrmError):
        await driver.carry_out(newest(box, taken).id)
    change(box, taken, retry_at=datetime.now(UTC) - timedelta(seconds=1))


@pytest.fixture
def crm_is_broken(box: Toolbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CRM that refuses whatever it is asked about a company."""

    async def refuse(**asked: str) -> None:
        raise CrmError("no such object", permanent=True)

    monkeypatch.setattr(box.crm, "account", refuse)


@pytest.mark.usefixtures("crm_is_broken")
async def test_an_attempt_that_fails_is_made_again_later_and_later(driver: Driver, box: Toolbox) -> None:
    taken, before = capture(box), datetime.now(UTC)
    with pytest.raises(CrmError):
        await driver.carry_out(newest(box, taken).id)

    first = newest(box, taken)
    assert (first.failures, first.lease_until, first.stage) == (1, None, "inquiry")
    assert the(first.retry_at) >= before + timedelta(seconds=2)
    change(box, taken, retry_at=datetime.now(UTC) + A_LONG_WHILE)
    assert await the(driver.clock.hand_over).deliver() == 0
    await fail(driver, box, taken)
    with pytest.raises(CrmError):
        await driver.settle()
    assert newest(box, taken).failures == 3


@pytest.mark.usefixtures("crm_is_broken")
async def test_after_five_failed_attempts_a_lead_is_stuck_and_nothing_more_is_tried(
    driver: Driver, runs: ShakyRuns, box: Toolbox, caplog: pytest.LogCaptureFixture
) -> None:
    taken = capture(box)
    for _ in range(MAX_FAILURES):
        assert newest(box, taken).stage == "inquiry"
        await fail(driver, box, taken)

    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.track, handoff.failures) == ("stuck", "inquiry", MAX_FAILURES)
    assert [event.kind for event in events_of(box, taken)].count("attempt-failed") == MAX_FAILURES
    assert "CrmError" in str([event.data for event in events_of(box, taken) if event.kind == "got-stuck"])
    assert box.read_now(lambda session, now: figures.figures(session, now=now)).stages == {"stuck": 1}


async def test_a_stuck_lead_goes_on_where_it_stood_when_it_is_unstuck(
    driver: Driver, box: Toolbox, time: SteppedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = capture(box)
    with monkeypatch.context() as broken:
        broken.setattr(box.crm, "account", None)
        for _ in range(MAX_FAILURES):
            with pytest.raises(TypeError):
                await driver.carry_out(newest(box, taken).id)
    box.write_now(lambda session, now: leaps.leap_to(session, now))
    monkeypatch.setenv("BATON_HOME", str(box.settings.home))
    monkeypatch.setenv("BATON_DATABASE_URL", box.database.url)

    said = await asyncio.to_thread(CliRunner().invoke, cli, ["leads", "unstick", str(taken.lead_id)])
    again = await asyncio.to_thread(CliRunner().invoke, cli, ["leads", "unstick", str(taken.lead_id)])
    toolbox.current().database.close()
    toolbox.use(box)
    time.at += timedelta(days=1)  # the command line went by a clock that ran on
    await driver.settle()

    assert (said.exit_code, again.exit_code) == (0, 1)
    assert newest(box, taken).stage == "assigned"
    assert newest(box, taken).failures == 0


async def test_an_attempt_under_way_is_left_alone(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    change(box, taken, lease_until=datetime.now(UTC) + A_LONG_WHILE)
    answer_by_link(box, taken, "accepted")

    assert await the(driver.clock.hand_over).deliver() == 0
    assert newest(box, taken).stage == "assigned"


async def test_an_attempt_that_died_with_its_lease_is_followed_by_another(driver: Driver, runs: ShakyRuns, box: Toolbox) -> None:
    taken = await assigned(driver, box)
    change(box, taken, lease_until=datetime.now(UTC) - timedelta(seconds=5))

    await driver.settle()

    assert newest(box, taken).lease_until is None
    assert newest(box, taken).epoch == 2
    assert wakes_of(box, taken) == []
