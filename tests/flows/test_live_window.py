"""What the buttons in Prefect's window really do to a lead: it goes on, or it is stuck with an owner and an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect.client.schemas.objects import FlowRun, State
from prefect.states import Cancelled, Paused, Scheduled, Suspended
from typer.testing import CliRunner

from app.cli import app
from tests.live import Live, live_stack
from tests.present import the
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for the tests of this file; each takes in leads of its own."""
    with live_stack(Path(tmp_path_factory.mktemp("window"))) as running:
        yield running


def parked(live: Live) -> tuple[Taken, FlowRun]:
    """A lead that waits for its rep, and its run."""
    taken = live.capture()
    return taken, live.until_parked(taken, "AwaitingAcceptance")


def press(live: Live, run: FlowRun, state: State, *, force: bool = True) -> None:
    """Sets the state of the run, as a button of the window does."""
    live.prefect(lambda client: client.set_flow_run_state(run.id, state, force=force))


def goes_on(live: Live, taken: Taken) -> None:
    """The rep's link still works, and the lead moves by it."""
    live.answer(taken, "accepted")
    live.until_stage(taken, "accepted")
    live.until_parked(taken, "AwaitingFirstAttempt")


def assignments_told_of(live: Live, taken: Taken) -> int:
    """How many messages told a rep of an assignment of this lead."""
    told = [one for one in live.inbox.messages() if ":assigned:" in one.key and f"(lead {taken.lead_id})" in one.subject]
    return len(told)


@pytest.mark.parametrize("force", [True, False], ids=["at once", "as the window asks"])
def test_cancel_leaves_it_stuck_with_an_owner_and_an_alarm_until_it_is_let_go_on(
    live: Live, force: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, run = parked(live)

    press(live, run, Cancelled(), force=force)

    stuck = live.until_stage(taken, "stuck")
    assert stuck.owner == "operator"
    alarm = f"Lead {taken.lead_id} has been stuck"
    live.until(lambda: [one for one in live.inbox.messages() if alarm in " ".join(one.text.split())])
    monkeypatch.setenv("BATON_HOME", str(live.stack.folder))
    assert CliRunner().invoke(app, ["leads", "unstick", str(taken.lead_id)]).exit_code == 0
    live.until_parked(taken, "AwaitingAcceptance")
    assert live.run_of(taken).id != run.id
    assert assignments_told_of(live, taken) == 1
    goes_on(live, taken)


def test_delete_loses_nothing_the_answer_makes_a_new_run(live: Live) -> None:
    taken, run = parked(live)

    live.prefect(lambda client: client.delete_flow_run(run.id))

    goes_on(live, taken)
    assert live.run_of(taken).id != run.id
    assert assignments_told_of(live, taken) == 1


def test_a_deleted_run_is_there_again_by_itself(live: Live) -> None:
    """So that managers find the lead in the window, and can answer there."""
    taken, run = parked(live)

    live.prefect(lambda client: client.delete_flow_run(run.id))

    live.until(lambda: live.handoff(taken).flow_run_id not in ("", str(run.id)))
    live.until_parked(taken, "AwaitingAcceptance")


def test_retry_of_a_run_that_has_ended_does_nothing_to_the_lead(live: Live) -> None:
    taken, run = parked(live)
    live.answer(taken, "rejected", reason="not-now")
    live.until_stage(taken, "nurturing")
    live.until(lambda: the(live.run_of(taken).state).is_completed())
    ended = the(live.run_of(taken).state).id

    press(live, run, Scheduled(name="AwaitingRetry"))

    live.until(lambda: the(live.run_of(taken).state).id != ended and the(live.run_of(taken).state).is_completed())
    assert (live.handoff(taken).stage, the(live.run_of(taken).state).name) == ("nurturing", "Nurturing")
    assert live.inbox.repeated_keys() == {}


def test_retry_of_a_cancelled_run_ends_at_once_and_leaves_the_lead_to_the_new_one(live: Live) -> None:
    taken, run = parked(live)
    press(live, run, Cancelled())
    live.until_stage(taken, "stuck")

    press(live, run, Scheduled(name="AwaitingRetry"))

    live.until(lambda: the(live.prefect(lambda client: client.read_flow_run(run.id)).state).name == "Superseded")
    assert live.handoff(taken).stage == "stuck"


def test_copy_to_new_run_ends_at_once(live: Live) -> None:
    taken, run = parked(live)

    copy = live.prefect(lambda client: client.create_flow_run_from_deployment(the(run.deployment_id), parameters=run.parameters))

    live.until(lambda: the(live.prefect(lambda client: client.read_flow_run(copy.id)).state).name == "Superseded")
    assert live.handoff(taken).flow_run_id == str(run.id)
    goes_on(live, taken)


@pytest.mark.parametrize("state", [Suspended, Paused])
def test_suspend_and_pause_stop_no_lead(live: Live, state: Callable[[], State[Any]]) -> None:
    """The run rests without Baton's form; an answer, or the deadline, moves it all the same."""
    taken, run = parked(live)

    press(live, run, state())

    goes_on(live, taken)
    assert live.run_of(taken).id == run.id


def test_a_paused_work_pool_stores_answers_and_carries_them_out_when_it_is_resumed(live: Live) -> None:
    """Nothing is lost; it only waits."""
    taken, _ = parked(live)
    pool = live.box.settings.work_pool
    live.prefect(lambda client: client.update_work_pool(pool, WorkPoolUpdate(is_paused=True)))
    live.until(lambda: f"the work pool {pool} is paused" in live.stack.parts["worker"].last_lines())

    live.answer(taken, "accepted")

    assert (live.handoff(taken).stage, live.wait_of(taken).answer_id is None) == ("assigned", False)
    assert the(live.run_of(taken).state).is_paused()
    live.prefect(lambda client: client.update_work_pool(pool, WorkPoolUpdate(is_paused=False)))
    live.until_parked(taken, "AwaitingFirstAttempt")


def test_a_suspended_run_misses_no_deadline(live: Live) -> None:
    taken, run = parked(live)
    first = live.handoff(taken).rep
    press(live, run, Suspended())

    live.leap_to(live.wait_of(taken).due_at)

    live.until(lambda: live.handoff(taken).rep not in ("", first))
    assert {"missed:acceptance", "team:emea", "manager:maria"} < set(live.until_parked(taken, "AwaitingAcceptance").tags)


def test_a_missed_promise_stays_on_the_run_when_the_lead_goes_on(live: Live) -> None:
    """So that the lists behind the links of the docs still show it."""
    taken, _ = parked(live)
    live.leap_to(live.wait_of(taken).due_at)
    live.until(lambda: "missed:acceptance" in live.run_of(taken).tags)
    live.until_parked(taken, "AwaitingAcceptance")

    live.answer(taken, "accepted")

    run = live.until_parked(taken, "AwaitingFirstAttempt")
    assert "missed:acceptance" in run.tags
