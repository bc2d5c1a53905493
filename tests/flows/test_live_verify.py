"""On a live stack: `baton verify` asks Prefect about each open lead's run, and names a run that somebody deleted or changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.states import Paused
from sqlalchemy import update
from sqlmodel import col

from app.stack import baton
from storage.tables import Handoff
from tests.live import Live, live_stack
from tests.patience import PATIENCE_SECONDS

pytestmark = [pytest.mark.long, pytest.mark.live]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_stack(tmp_path) as running:
        yield running


def verified(live: Live) -> tuple[int, dict[str, Any]]:
    words, environment = baton("verify", "--json"), live.stack.environment
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    return done.returncode, json.loads(done.stdout)


def test_a_run_that_was_deleted_waits_for_something_else_or_is_another_leads_is_named(live: Live) -> None:
    deleted, changed, swapped, _ = taken = [live.capture() for _ in range(4)]
    runs = [live.until_parked(one, "AwaitingAcceptance") for one in taken]
    code, said = verified(live)
    assert (code, said["findings"], said["runs"]["asked"], said["runs"]["leads"]) == (0, [], True, 4)
    live.stack.parts["worker"].stop()

    async def meddle(client: PrefectClient) -> None:
        await client.delete_flow_run(runs[0].id)
        await client.set_flow_run_state(runs[1].id, Paused(name="AwaitingOutcome"), force=True)

    live.prefect(meddle)
    another = update(Handoff).where(col(Handoff.lead_id) == swapped.lead_id).values(flow_run_id=str(runs[3].id))
    live.box.write_now(lambda session, now: session.execute(another))
    code, said = verified(live)

    assert (code, said["runs"]) == (1, {"asked": True, "leads": 4, "why_not": ""})
    assert {(one["code"], one["lead"]) for one in said["findings"]} == {
        ("run-gone", deleted.lead_id),
        ("run-elsewhere", changed.lead_id),
        ("run-elsewhere", swapped.lead_id),
    }

    live.stack.parts["server"].stop()
    code, said = verified(live)

    assert (code, said["findings"], said["runs"]["asked"]) == (4, [], False)
