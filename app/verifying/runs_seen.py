"""The runs of open leads as Prefect has them, read in pages: whether each lead that needs a run has one that fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import PrefectHTTPStatusError

from agreements.conservation import Finding, OpenLead, RunSeen, finding, of_run
from app.named_server import NoServer, named_server
from app.prefect_runs import AT_MOST, TERMINAL, EngineAway
from storage import conservation
from tasks.wiring.toolbox import Toolbox

#: What seems wrong is looked at again after so many seconds: an attempt may have begun or ended between the two reads.
AGAIN_SECONDS = (0.5, 2.0)


def wrong_runs(box: Toolbox, leads: Sequence[OpenLead], *, told: Callable[[int], None]) -> list[Finding]:
    """Return the leads whose run is missing, has ended, is another lead's or waits for something else, seen in every one of several looks.

    told: called with the number of leads that were looked at so far. Raises EngineAway; NoServer where no server is named.
    """
    with named_server(box.settings.folder):
        return asyncio.run(_wrong_runs(box, leads, told))


async def _wrong_runs(box: Toolbox, leads: Sequence[OpenLead], told: Callable[[int], None]) -> list[Finding]:
    async with get_client() as client:
        suspects = await _looked_at(client, leads, told)
        for seconds in AGAIN_SECONDS:
            if suspects:
                await asyncio.sleep(seconds)
                suspects = await _looked_at(client, await _as_now(box, suspects), lambda done: None)
    return [one for _, one in suspects]


Suspects = list[tuple[OpenLead, Finding]]


async def _as_now(box: Toolbox, suspects: Suspects) -> list[OpenLead]:
    """Read these leads again, some at a time."""
    ids, found = [lead.handoff_id for lead, _ in suspects], list[OpenLead]()
    for start in range(0, len(ids), AT_MOST):
        some = ids[start : start + AT_MOST]
        found += await box.read(lambda session, now, some=some: list(conservation.open_leads(session, now=now, ids=some)))  # type: ignore[misc]
    return found


async def _looked_at(client: PrefectClient, leads: Sequence[OpenLead], told: Callable[[int], None]) -> Suspects:
    found: Suspects = []
    for start in range(0, len(leads), AT_MOST):
        some = leads[start : start + AT_MOST]
        runs = await _seen(client, [ident for lead in some if (ident := _id_of(lead.run_id))])
        for lead in some:
            if code := of_run(lead, runs.get(lead.run_id)):
                found.append((lead, finding(code, lead=lead.lead_id)))
        told(start + len(some))
    return found


async def _seen(client: PrefectClient, ids: Sequence[UUID]) -> Mapping[str, RunSeen]:
    """Return those of these runs that Prefect has, by id. ids: at most AT_MOST."""
    if not ids:
        return {}
    try:
        found = await client.read_flow_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=list(ids))), limit=AT_MOST)
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        raise EngineAway(str(error)) from error
    return {str(run.id): _as_seen(run) for run in found}


def _as_seen(run: FlowRun) -> RunSeen:
    state, handoff = run.state, str(run.parameters.get("handoff", ""))
    if state is None:
        return RunSeen("", is_over=False, is_parked=False, handoff=handoff)
    return RunSeen(state.name or "", state.type in TERMINAL, state.type == StateType.PAUSED, handoff)


def _id_of(run_id: str) -> UUID | None:
    """Return the id; None for a text that can be the id of no run, so that its lead has none."""
    try:
        return UUID(run_id)
    except ValueError:
        return None


__all__ = ["EngineAway", "NoServer", "wrong_runs"]
