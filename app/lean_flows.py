"""Every flow that may run in a worker, as the worker carries it out: it keeps no results."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prefect import Flow
from prefect.filesystems import LocalFileSystem

from app.review.flow import review
from flows.crm_comparison import crm_comparison
from flows.lead_handoff import lead_handoff
from flows.likely_twins import likely_twins
from flows.opportunity_sync import opportunity_sync
from flows.retention import retention

#: The block that tells Prefect's engine where results would go. Baton keeps none; without the block each run asks the server.
RESULTS_BLOCK = "baton-no-results"
#: Every flow that may run in a worker, by its name at the server.
FLOWS: dict[str, Flow[Any, Any]] = {
    one.name: one for one in (lead_handoff, opportunity_sync, retention, likely_twins, crm_comparison, review)
}


async def lean_flows(flows: Iterable[Flow[Any, Any]] = tuple(FLOWS.values())) -> dict[str, Flow[Any, Any]]:
    """Return the same flows by name, set to keep no results and to say where they would be.

    Without that place Prefect's engine asks the server at each run, on a new connection that is never closed.
    """
    block = LocalFileSystem(basepath="~/.prefect/storage")
    await block.save(RESULTS_BLOCK, overwrite=True)
    return {one.name: one.with_options(result_storage=block, persist_result=False, retries=0) for one in flows}
