"""What the Logs tab of a run in Prefect tells of its lead, on a live stack."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any, cast
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import Log
from prefect.client.schemas.sorting import LogSort

from flows.telling import ABOUT_TIMELINE
from tests.live import Live, live_stack
from tests.stage import Taken

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_stack(tmp_path_factory.mktemp("story")) as running:
        yield running


def log_of(live: Live, taken: Taken) -> list[Log]:
    """The lines of the run, oldest first."""
    run = UUID(live.handoff(taken).flow_run_id)
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    lines: list[Log] = live.prefect(lambda client: client.read_logs(wanted, sort=LogSort.TIMESTAMP_ASC))
    return lines


async def events_of(client: PrefectClient, taken: Taken) -> list[dict[str, Any]]:
    """The events of the lead at the Prefect server, oldest first."""
    wanted = {"order": "ASC", "resource": {"id": [f"baton.lead.{taken.lead_id}"]}}
    answer = await client.request("POST", cast(Any, "/events/filter"), json={"filter": wanted, "limit": 50})
    found: list[dict[str, Any]] = answer.json()["events"]
    return found


def ends_with(live: Live, taken: Taken, text: str) -> list[Log]:
    """Waits until a line has this text, and returns the log."""

    def ask() -> list[Log] | None:
        lines = log_of(live, taken)
        return lines if any(text in one.message for one in lines) else None

    return live.until(ask)


def test_the_log_of_a_run_tells_each_event_once_with_batons_time_and_nothing_of_the_person(live: Live) -> None:
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    live.leap_to(live.wait_of(taken).due_at)
    ends_with(live, taken, "Missed: acceptance")
    live.until_parked(taken, "AwaitingAcceptance")
    live.answer(taken, "accepted")
    live.until_parked(taken, "AwaitingFirstAttempt")

    lines = ends_with(live, taken, "accepted")

    texts = [one.message for one in lines]
    assert re.match(r"Mon 01 Feb 09:\d\d · Came in", texts[0])
    assert len(texts) == len(set(texts))
    assert [one.message.partition(" · ")[2] for one in lines if one.level == logging.WARNING] == ["Missed: acceptance, not seen in time"]
    live.until(lambda: len(live.prefect(lambda client: events_of(client, taken))) >= 6)
    events = live.prefect(lambda client: events_of(client, taken))
    assert [one["event"].removeprefix("baton.lead.") for one in events] == [
        "qualified", "assigned", "missed", "reassigned", "assigned", "accepted",
    ]  # fmt: skip
    person = taken.incoming
    for personal in (person.email, person.first_name, person.last_name, "@example"):
        assert personal not in " ".join(texts)
        assert personal not in json.dumps(events)


def test_a_lead_at_its_end_has_its_whole_life_among_the_artifacts_of_its_run(live: Live) -> None:
    taken = live.capture()
    live.until_parked(taken, "AwaitingAcceptance")
    live.answer(taken, "rejected", reason="not-icp")
    live.until_stage(taken, "disqualified")
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[UUID(live.handoff(taken).flow_run_id)]))

    def timeline() -> str | None:
        found = live.prefect(lambda client: client.read_artifacts(artifact_filter=of_run))
        return next((str(one.data) for one in found if one.description == ABOUT_TIMELINE), None)

    rows = live.until(timeline).splitlines()

    assert rows[2:4] == ["| when | after | what happened |", "|---|---|---|"]
    assert "Came in" in rows[4]
    assert [row for row in rows if "rejected" in row]
    assert taken.incoming.email not in "".join(rows)
