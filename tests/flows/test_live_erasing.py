"""On a live stack: after an erasure, and after retention, a search everywhere for what the person was and said finds nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterTags
from sqlmodel import select

from app.demo.browser import Visitor
from app.exporting import Wanted, export
from app.stack import baton
from storage import chores
from storage.tables import Answer, Erasure
from tasks.disputes.rulings import raise_dispute
from tests.conftest import MONDAY
from tests.live import Live, live_stack
from tests.patience import PATIENCE_SECONDS
from tests.present import the
from tests.searching import in_any_table_of, in_bytes, in_tables
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]
WORDS = ("uillfeather", "Zoë", "7946 0999", "sand sifters", "kettle is broken", "prefers porridge", "lighthouse")
PERSON = {
    "email": "zoe@quillfeather.example",
    "first_name": "Zoë",
    "last_name": "Quillfeather",
    "phone": "+44 20 7946 0999",
    "message": "Our sand sifters jam every Tuesday.",
    "source_id": "zoe-at-quillfeather",
}


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One stack for the tests of this file; each takes in leads of its own."""
    with live_stack(Path(tmp_path_factory.mktemp("erasing"))) as running:
        yield running


def fill_in(live: Live, taken: Taken, **form: Any) -> None:
    """Submits the Resume form of the lead's run, as Prefect's window does."""
    run = live.run_of(taken)
    assert run is not None
    live.prefect(lambda client: client.resume_flow_run(run.id, run_input=form))


def run(live: Live, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs a command in the environment of the stack."""
    return subprocess.run(baton(*words), env=live.stack.environment, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def at_prefect(live: Live, words: Iterable[str]) -> list[str]:
    """Where Prefect's API tells of one of these words: runs, task runs, artifacts, logs and inputs."""

    async def read(client: PrefectClient) -> list[str]:
        runs = await client.read_flow_runs(limit=200)
        said = [one.model_dump_json() for one in runs]
        said += [one.model_dump_json() for one in await client.read_task_runs(limit=200)]
        said += [one.model_dump_json() for one in await client.read_artifacts(limit=200)]
        said += [one.model_dump_json() for one in await client.read_logs(limit=200)]
        for one in runs:
            inputs = await client.filter_flow_run_input(one.id, key_prefix="wait-", limit=100, exclude_keys=set())
            said += [entry.model_dump_json() for entry in inputs]
        return said

    return [f"{word} in {text[:300]}" for text in live.prefect(read) for word in words if word in text]


def everywhere(live: Live, words: Iterable[str] = WORDS) -> list[str]:
    """Every place in which one of these words stands."""
    prefect = live.stack.folder / "prefect" / "prefect.db"
    return [
        *in_tables(live.box.database, words),
        *in_any_table_of(prefect, words),
        *at_prefect(live, words),
        *in_bytes(live.stack.folder, words),
    ]


def test_after_an_erasure_a_search_everywhere_finds_nothing(live: Live, tmp_path: Path) -> None:
    """The lead went through notes, a held answer, nonsense and a rejection in Prefect's form, a dispute, nurture, and came back."""
    taken = live.capture(campaign="", **PERSON)
    live.until_parked(taken, "AwaitingNote")
    fill_in(live, taken, campaign="Seen at the lighthouse", text="Zoë prefers porridge.", who_answers="Maria")
    live.until_parked(taken, "AwaitingAcceptance")
    with Visitor() as visitor:
        page = visitor.open(live.link_of(taken))
        visitor.submit(page, the(page.form_with("choice")), choice="rejected", reason="not-now", text="The kettle is broken.")
    parks = live.wait_of(taken).parks
    fill_in(live, taken, answer="rejected", text="The kettle is broken, Zoë says.", who_answers="Maria")
    live.until(lambda: live.wait_of(taken).parks > parks)
    live.until_parked(taken, "AwaitingAcceptance")
    fill_in(live, taken, answer="rejected", reason="not-now", text="Quillfeather prefers porridge.", who_answers="Maria")
    live.until_stage(taken, "nurturing")
    counted = select(Answer.id).where(Answer.kind == "rejected", Answer.state == "counted")
    answer = live.box.read_now(lambda session, now: session.exec(counted).one())
    objection = "Zoë Quillfeather told us of the lighthouse."
    live.box.write_now(lambda session, now: raise_dispute(session, answer, "mina", objection, now=now))
    live.capture(conversion_id="back", activity="demo_requested", **{**PERSON, "message": "The sand sifters jam again."})
    live.until_parked(taken, "AwaitingAcceptance")
    with (live.stack.folder / "export.csv").open("w", encoding="utf-8", newline="") as out:
        export(live.box, out, Wanted(), progress=lambda rows: None)
    assert live.box.read_now(lambda session, now: chores.count(session)) == 0
    assert at_prefect(live, WORDS) == []  # what was typed in forms is gone already
    assert in_tables(live.box.database, WORDS)
    assert [one for one in in_bytes(live.stack.folder, WORDS) if one.startswith("export.csv")]

    done = run(live, "leads", "erase", str(taken.lead_id), "--yes", "--receipt", str(tmp_path / "receipt.json"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert live.box.read_now(lambda session, now: session.exec(select(Erasure)).one().done_at)
    assert everywhere(live) == []
    assert not any(word in done.stdout + (tmp_path / "receipt.json").read_text() for word in WORDS)
    assert live.handoff(taken).stage == "erased"
    tag = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"lead:{taken.lead_id}"]))
    assert live.prefect(lambda client: client.read_flow_runs(flow_run_filter=tag)) == []
    live.until(lambda: [one for one in live.inbox.messages() if "erased at the wish of its person" in one.text])
    checked = run(live, "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_an_erasure_while_prefect_is_away_is_ended_by_the_worker(live: Live) -> None:
    taken = live.capture(**{**PERSON, "email": "yan@lighthouse.example", "phone": "+44 20 7946 0555", "source_id": "yan"})
    live.until_parked(taken, "AwaitingAcceptance")
    server = live.stack.parts["server"]
    server.stop()

    done = run(live, "leads", "erase", str(taken.lead_id), "--yes")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "a worker deletes what is there when it is back" in done.stderr
    assert in_tables(live.box.database, WORDS) == []
    server.start()
    live.stack.wait_until_ready("server")
    live.leap_to(live.box.read_now(lambda session, now: now) + timedelta(minutes=2))
    live.until(lambda: live.box.read_now(lambda session, now: all(one.done_at for one in session.exec(select(Erasure)))))
    assert everywhere(live) == []


def test_after_retention_a_search_everywhere_finds_nothing_and_its_run_shows_counts(live: Live) -> None:
    """The flow runs from its own deployment, in the worker, two years and some days after the person did something."""
    words = ("bartholomew", "Bartholomew", "7946 0333", "gravel pit")
    taken = live.capture(
        email="bartholomew@pit.example",
        first_name="Bartholomew",
        last_name="Stone",
        phone="+44 20 7946 0333",
        message="Our gravel pit is flooded.",
        source_id="bartholomew-1",
    )
    live.until_parked(taken, "AwaitingAcceptance")
    fill_in(live, taken, answer="rejected", reason="not-icp", text="Bartholomew sold the gravel pit.", who_answers="Maria")
    live.until_stage(taken, "disqualified")
    live.until(lambda: [one for one in live.inbox.messages() if "sold the gravel pit" in one.text])
    live.leap_to(MONDAY + timedelta(days=760))

    async def begin(client: PrefectClient) -> Any:
        deployment = await client.read_deployment_by_name("retention/daily")
        return (await client.create_flow_run_from_deployment(deployment.id)).id

    run_id = live.prefect(begin)
    live.until(lambda: the(live.prefect(lambda client: client.read_flow_run(run_id)).state).is_final())
    ended = the(live.prefect(lambda client: client.read_flow_run(run_id)).state)

    assert ended.is_completed(), ended
    assert "texts" in the(ended.message)
    assert "1 runs at Prefect" in the(ended.message)
    assert everywhere(live, words) == []
    artifacts = live.prefect(lambda client: client.read_artifacts(limit=50))
    assert [one for one in artifacts if one.flow_run_id == run_id and "| texts | 2 |" in str(one.data)]
    checked = run(live, "verify")
    assert checked.returncode == 0, checked.stdout + checked.stderr
