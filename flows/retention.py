"""Retention: delete data that is past its agreed time. The run shows how much of each kind was deleted."""

from __future__ import annotations

from contextlib import suppress

import httpx
from prefect import flow
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Completed

from flows import tidying
from tasks.erasure.retention import Kept, carry_out, in_words
from tasks.wiring import toolbox


@flow(name="retention", retries=0, persist_result=False)
async def retention() -> State:
    """Delete data that is past its agreed time, in Baton and at Prefect. The run shows counts and no personal data."""
    box = toolbox.current()
    kept = await carry_out(box)
    async with get_client() as client:
        kept.deleted.update({f"{name} at Prefect": count for name, count in (await tidying.carry_out(box, client)).items() if count})
        await _show(client, kept)
    return Completed(message=in_words(kept))


async def _show(client: PrefectClient, kept: Kept) -> None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    lines = ["| what | deleted |", "|---|---|", *(f"| {name} | {count} |" for name, count in kept.deleted.items() if count)]
    data = "\n".join([*(lines if kept.deleted else ["Nothing was past its time."]), "", *(f"- {one}" for one in kept.left)])
    with suppress(httpx.HTTPError, PrefectHTTPStatusError):  # the work is done, and the trail says so too
        about = "What was kept longer than agreed and is deleted now."
        await client.create_artifact(ArtifactCreate(type="markdown", data=data, description=about, flow_run_id=context.flow_run.id))
