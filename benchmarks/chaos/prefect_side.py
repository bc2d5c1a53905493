"""Compare the runs at the Prefect server with Baton's own tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun

AT_ONCE = 200


async def not_parked(wanted: Mapping[str, tuple[int, str]]) -> list[str]:
    """Find the open leads whose run is not parked under its key. wanted: run id -> lead number and key."""
    async with get_client() as client:
        runs = await _runs(client, [run_id for run_id in wanted if not run_id.startswith("none")])
    found = []
    for run_id, (lead, key) in wanted.items():
        run = runs.get(run_id)
        state = run.state if run else None
        if state is None or not state.is_paused() or state.state_details.pause_key != key:
            found.append(f"lead {lead} waits, and its run is {state.name if state else 'not there'} instead of parked")
    return found


async def states_of(run_ids: list[str]) -> dict[str, int]:
    """Count these runs by state type."""
    async with get_client() as client:
        runs = await _runs(client, run_ids)
    found = Counter(run.state.type.value if run.state else "none" for run in runs.values())
    found["not there"] = len(run_ids) - len(runs)
    return {name: count for name, count in sorted(found.items()) if count}


async def _runs(client: PrefectClient, run_ids: list[str]) -> dict[str, FlowRun]:
    found: dict[str, FlowRun] = {}
    for start in range(0, len(run_ids), AT_ONCE):
        these = FlowRunFilterId(any_=[UUID(one) for one in run_ids[start : start + AT_ONCE]])
        read = await client.read_flow_runs(flow_run_filter=FlowRunFilter(id=these), limit=AT_ONCE)
        found |= {str(run.id): run for run in read}
    return found
