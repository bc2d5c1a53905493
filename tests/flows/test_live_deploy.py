"""Deploying beside a live Prefect server: who is first, what becomes of parked runs, and an answer in Prefect's own window."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.objects import FlowRun
from sqlmodel import col, select

from app import stack
from app.demo.browser import Visitor
from storage import contracts
from storage.tables import Claim, Handoff
from tests.in_flight import published, text_of
from tests.live import Live, live_stack
from tests.patience import PATIENCE_SECONDS
from tests.present import the
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for the tests of this file; each deploys a version of its own."""
    with live_stack(Path(tmp_path_factory.mktemp("deploy"))) as running:
        yield running


def baton(live: Live, *words: str) -> subprocess.Popen[str]:
    """The command line, beside the running stack."""
    command = stack.baton("agreement", *words)
    return subprocess.Popen(command, env=live.stack.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def said(running: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code and all that it said, on one line."""
    output, _ = running.communicate(timeout=PATIENCE_SECONDS)
    return running.returncode, " ".join(output.split())


def publish(live: Live, version: int, first: str) -> None:
    live.box.write_now(lambda session, now: published(session, text_of(version, first), now, deployed=False))


def run_of(live: Live, handoff: Handoff) -> FlowRun:
    return live.prefect(lambda client: client.read_flow_run(UUID(handoff.flow_run_id)))


def handoffs_of(live: Live, taken: Taken) -> list[Handoff]:
    query = select(Handoff).where(Handoff.lead_id == taken.lead_id).order_by(col(Handoff.id))
    return live.box.read_now(lambda session, now: list(session.exec(query)))


def test_after_a_recall_the_old_runs_end_as_withdrawn_and_the_new_ones_park(live: Live) -> None:
    """The rep is told, the old link says what happened, and the one who has accepted keeps the lead."""
    quiet, busy = live.capture(), live.capture()
    for taken in (quiet, busy):
        live.until_parked(taken, "AwaitingAcceptance")
    old_link = live.link_of(quiet)
    live.answer(busy, "accepted")
    run_of_busy = live.until_parked(busy, "AwaitingFirstAttempt")
    publish(live, 2, "2027-01-01")

    code, output = said(baton(live, "deploy", "b2b-saas@2", "--in-flight", "recall"))

    assert (code, "1 recalled" in output) == (0, True), output
    assert "deployed as lead-handoff/b2b-saas-v2" in output
    first, second = handoffs_of(live, quiet)
    live.until(lambda: the(run_of(live, first).state).name == "Withdrawn")
    ended = run_of(live, first)
    assert the(ended.state).is_completed()
    assert "stage:withdrawn" in ended.tags
    run = live.until_parked(quiet, "AwaitingAcceptance")
    assert "agreement:b2b-saas@2" in run.tags
    assert (second.version, str(run.id) != first.flow_run_id) == (2, True)
    live.until(lambda: [one for one in live.inbox.messages() if ":withdrawn:" in one.key])
    with Visitor() as rep:
        page = rep.open(old_link)
    assert (page.status, page.form_with("choice")) == (200, None)
    assert "it was called back and starts again under a new version of the agreement" in page.text
    assert live.handoff(busy).version == 1
    assert live.run_of(busy).id == run_of_busy.id
    assert live.wait_of(busy).kind == "first_attempt"


def test_what_was_answered_in_prefects_window_and_not_read_yet_came_first(live: Live) -> None:
    """No worker is there to read it; the deploy does, and leaves that lead alone."""
    taken = live.capture()
    run = live.until_parked(taken, "AwaitingAcceptance")
    publish(live, 3, "2027-01-02")
    live.stack.parts["worker"].stop()
    live.prefect(lambda client: client.resume_flow_run(run.id, run_input={"answer": "accepted", "who_answers": "Maria"}))

    code, output = said(baton(live, "deploy", "b2b-saas@3", "--in-flight", "recall"))

    live.stack.parts["worker"].start()
    assert code == 3, output
    assert f"lead {taken.lead_id}, {taken.incoming.company}: Maria answered: accepted" in output
    live.until_stage(taken, "accepted")
    assert live.handoff(taken).version == 2


def test_of_two_who_deploy_at_once_one_does(live: Live) -> None:
    """The other is refused, and the version is in force once."""
    publish(live, 4, "2027-01-03")

    answers = [said(one) for one in [baton(live, "deploy", "b2b-saas@4") for _ in range(2)]]

    codes, outputs = [code for code, _ in answers], [output for _, output in answers]
    assert sorted(codes) == [0, 1], outputs
    refusal = outputs[codes.index(1)]
    assert "has been deploying b2b-saas@4 since" in refusal or "was deployed on" in refusal
    row, claims = live.box.read_now(lambda session, now: (contracts.get(session, "b2b-saas", 4), list(session.exec(select(Claim)))))
    assert (row.deployed_at is not None, claims) == (True, [])


def test_a_deployment_that_was_deleted_at_the_server_is_made_again(live: Live) -> None:
    before = live.box.read_now(lambda session, now: contracts.counting(session, now)[0])
    live.prefect(lambda client: client.delete_deployment(UUID(before.deployment_id)))
    reference = contracts.reference_of(before)

    code, output = said(baton(live, "deploy", reference, "--in-flight", "finish"))

    assert (code, "already" in output) == (0, True), output
    after = live.box.read_now(lambda session, now: contracts.get(session, before.name, before.version))
    assert after.deployment_id != before.deployment_id
    assert live.prefect(lambda client: client.read_deployment(after.deployment_id)).name == f"b2b-saas-v{before.version}"
    live.until_parked(live.capture(), "AwaitingAcceptance")
