"""Tidying: delete at the Prefect server what Baton has listed for deletion, and cross it off the list."""

from __future__ import annotations

from collections.abc import Awaitable
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    FlowRunFilter,
    FlowRunFilterTags,
)
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

from storage import chores
from storage.tables import PrefectChore
from tasks.wiring.toolbox import Toolbox

#: How many chores are read at once, and how many runs or artifacts.
AT_ONCE = 20


async def carry_out(box: Toolbox, client: PrefectClient) -> dict[str, int]:
    """Carry out every stored chore at Prefect. Return how many form inputs and how many runs were deleted.

    Processes may do this at the same time: what is gone already counts as done. Raises httpx.HTTPError where the server does not answer,
    and PrefectHTTPStatusError where it refused a chore, after all others were tried. Chores that are left wait for the next call.
    """
    deleted, after, refused = {"inputs": 0, "runs": 0}, 0, None
    while some := await box.read(lambda session, now, after=after: chores.next_ones(session, after=after, limit=AT_ONCE)):  # type: ignore[misc]
        after = some[-1].id
        for one in some:
            try:
                await _do(client, one, deleted)
                await box.write(lambda session, now, one=one: chores.done(session, one.id))  # type: ignore[misc]
            except PrefectHTTPStatusError as error:  # a refused chore must not hold up the others
                refused = refused or error
    if refused is not None:
        raise refused
    return deleted


async def _do(client: PrefectClient, one: PrefectChore, deleted: dict[str, int]) -> None:
    if one.kind == chores.LEAD:
        deleted["runs"] += await _delete_runs_of(client, one.name)
        return
    try:
        run_id = UUID(one.run_id)
    except ValueError:  # no run can have this id
        return
    if one.kind == chores.INPUT:
        deleted["inputs"] += await _is_deleted(client.delete_flow_run_input(run_id, one.name))
    else:
        deleted["runs"] += await _delete_run(client, run_id)


async def delete_input(box: Toolbox, client: PrefectClient, run_id: str, name: str) -> None:
    """Delete what was typed in a form. Its chore is already stored. Raises the same errors as carry_out."""
    await _is_deleted(client.delete_flow_run_input(UUID(run_id), name))
    await box.write(lambda session, now: chores.input_deleted(session, name))


async def _delete_runs_of(client: PrefectClient, lead: str) -> int:
    """Delete every run that has the tag of this lead, from every pass."""
    theirs, deleted = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"lead:{lead}"])), 0
    while runs := await client.read_flow_runs(flow_run_filter=theirs, limit=AT_ONCE):
        for run in runs:
            deleted += await _delete_run(client, run.id)
    return deleted


async def _delete_run(client: PrefectClient, run_id: UUID) -> int:
    """Delete a run with its states, inputs, task runs and logs. Prefect keeps artifacts apart, so they are deleted first."""
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    while artifacts := await client.read_artifacts(artifact_filter=of_run, limit=AT_ONCE):
        for artifact in artifacts:
            await _is_deleted(client.delete_artifact(artifact.id))
    return await _is_deleted(client.delete_flow_run(run_id))


async def _is_deleted(call: Awaitable[None]) -> int:
    """Return 1 where this call deleted something, 0 where it was gone already."""
    try:
        await call
    except ObjectNotFound:
        return 0
    except PrefectHTTPStatusError as error:
        if error.response.status_code == 404:
            return 0
        raise
    return 1
