"""What only a live Prefect server, real processes and real sockets can show."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlmodel import select

from app.demo.browser import Visitor
from storage import waits
from storage.tables import Answer, Delivery, Wait
from tests.live import Live, live_stack
from tests.present import the
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for the tests of this file; each takes in leads of its own."""
    with live_stack(Path(tmp_path_factory.mktemp("live"))) as running:
        yield running


def test_a_lead_parks_under_the_name_of_what_it_waits_for(live: Live) -> None:
    """Name, tags and message of the run say where the lead is; nothing in it is personal."""
    taken = live.capture()
    run = live.until_parked(taken, "AwaitingAcceptance")

    assert run.name == f"{taken.incoming.company} · lead {taken.lead_id}"
    assert {f"lead:{taken.lead_id}", "stage:assigned", "sla:on-track", "agreement:b2b-saas@1"} <= set(run.tags)
    assert "until Mon 01 Feb" in the(the(run.state).message)
    assert taken.incoming.email not in run.model_dump_json()
    assert taken.incoming.last_name not in run.model_dump_json()


def test_an_answer_while_the_prefect_server_is_down_is_stored_and_goes_on_when_it_is_back(live: Live) -> None:
    """The rep is thanked at once; the run follows when it can."""
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    server = live.stack.parts["server"]
    server.stop()

    page = live.answer(taken, "accepted")

    assert page.status == 200
    assert "thank" in page.text.lower()
    wait = live.wait_of(taken)
    stored = the(live.box.read_now(lambda session, now: waits.answer_of(session, wait)))
    assert stored.kind == "accepted"
    server.start()
    live.stack.wait_until_ready("server")
    live.until_stage(taken, "accepted")


def test_a_form_answer_counts_as_of_the_resume_although_the_deadline_passed_unread(live: Live) -> None:
    """Answered in Prefect's window while no worker was there; the deadline passes; the answer still counts, and a link says so."""
    taken = live.capture()
    run = live.until_parked(taken, "AwaitingAcceptance")
    due = live.wait_of(taken).due_at
    live.stack.parts["worker"].stop()
    form = {"answer": "accepted", "who_answers": "Maria"}
    live.prefect(lambda client: client.resume_flow_run(run.id, run_input=form))
    live.leap_to(due + timedelta(minutes=10))
    live.stack.parts["worker"].start()
    wait_id = live.wait_of(taken).id
    live.until(lambda: live.box.read_now(lambda session, now: the(session.get(Wait, wait_id)).answer_id))

    page = live.answer(taken, "rejected", reason="not-icp")

    assert "accepted" in page.text
    live.until_stage(taken, "accepted")
    answers = live.box.read_now(lambda session, now: list(session.exec(select(Answer).where(Answer.wait_id == wait_id))))
    counted = [answer for answer in answers if answer.state == "counted"]
    assert [(answer.kind, answer.via, answer.by) for answer in counted] == [("accepted", "prefect", "Maria")]
    assert counted[0].answered_at < due


def test_nonsense_in_the_form_parks_the_run_again_and_says_why(live: Live) -> None:
    """A rejection without a reason is no answer."""
    taken = live.capture()
    run = live.until_parked(taken, "AwaitingAcceptance")
    live.prefect(lambda client: client.resume_flow_run(run.id, run_input={"answer": "rejected", "who_answers": "Maria"}))

    live.until(lambda: "agreed reasons" in (the(live.run_of(taken).state).message or ""))

    assert live.wait_of(taken).answer_id is None


def test_a_worker_killed_again_and_again_loses_no_lead_and_repeats_no_message(live: Live) -> None:
    """SIGKILL in the middle of the work; what was half sent is never sent again under its key."""
    many = [live.capture() for _ in range(12)]

    def assigned() -> int:
        return len([one for one in many if live.handoff(one).stage == "assigned"])

    def is_accepting(taken: Taken) -> bool:
        wait = live.wait_if_any(taken)
        return wait is not None and wait.kind == "acceptance"

    def more_than(before: int) -> bool:
        return assigned() > before

    for _ in range(3):
        live.until(partial(more_than, assigned()))
        live.kill("worker")
        live.stack.watch()

    for taken in many:
        live.until(partial(is_accepting, taken))

    assert live.inbox.repeated_keys() == {}
    half = live.box.read_now(lambda session, now: list(session.exec(select(Delivery).where(Delivery.state == "sending"))))
    assert half == []


def test_a_run_cancelled_in_prefect_is_stuck_until_somebody_decides(live: Live) -> None:
    """Cancelling takes nothing away: the lead waits for an operator."""
    from prefect.states import Cancelled

    taken = live.capture()
    run = live.until_parked(taken, "AwaitingAcceptance")
    live.prefect(lambda client: client.set_flow_run_state(run.id, Cancelled(), force=True))

    live.until_stage(taken, "stuck")


def test_a_second_visit_says_who_answered_what_and_when(live: Live) -> None:
    """Not an error: the answer, with its name and time."""
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    with Visitor() as visitor:
        live.answer(taken, "rejected", visitor=visitor, reason="not-now")
        live.until_stage(taken, "nurturing")

        page = visitor.open(live.link_of(taken))

    assert page.status == 200
    assert "rejected" in page.text
    assert page.form_with("choice") is None
