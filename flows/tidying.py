"""Tidying: what Baton wants deleted at the Prefect server is deleted there, and then crossed off."""

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

#: So many chores are read at once, and so many runs or artifacts.
AT_ONCE = 20


async def carry_out(box: Toolbox, client: PrefectClient) -> dict[str, int]:
    """Deletes at Prefect what is still to be deleted there: how many inputs of forms, and how many runs.

    Any number of processes may do so at once: what is gone already counts as done. Raises httpx.HTTPError where the server does not
    answer, and PrefectHTTPStatusError where it refused something, after the rest was done; what is left is done the next time.
    """
    deleted, after, refused = {"inputs": 0, "runs": 0}, 0, None
    while some := await box.read(lambda session, now, after=after: chores.next_ones(session, after=after, limit=AT_ONCE)):  # type: ignore[misc]
        after = some[-1].id
        for one in some:
            try:
                await _do(client, one, deleted)
                await box.write(lambda session, now, one=one: chores.done(session, one.id))  # type: ignore[misc]
            except PrefectHTTPStatusError as error:  # one that the server refuses holds up none of the others
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
    except ValueError:  # no run was ever called so
        return
    if one.kind == chores.INPUT:
        deleted["inputs"] += await _is_deleted(client.delete_flow_run_input(run_id, one.name))
    else:
        deleted["runs"] += await _delete_run(client, run_id)


async def delete_input(box: Toolbox, client: PrefectClient, run_id: str, name: str) -> None:
    """Deletes what was typed in a form. Its chore is stored already. Raises as carry_out does."""
    await _is_deleted(client.delete_flow_run_input(UUID(run_id), name))
    await box.write(lambda session, now: chores.input_deleted(session, name))


async def _delete_runs_of(client: PrefectClient, lead: str) -> int:
    """Deletes every run that has the tag of this lead, whatever pass it is of."""
    theirs, deleted = FlowRunFilter(tags=FlowRunFilterTags(all_=[f"lead:{lead}"])), 0
    while runs := await client.read_flow_runs(flow_run_filter=theirs, limit=AT_ONCE):
        for run in runs:
            deleted += await _delete_run(client, run.id)
    return deleted


async def _delete_run(client: PrefectClient, run_id: UUID) -> int:
    """Deletes a run with its states, inputs, task runs and logs; artifacts are by themselves, and go first."""
    of_run = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run_id]))
    while artifacts := await client.read_artifacts(artifact_filter=of_run, limit=AT_ONCE):
        for artifact in artifacts:
            await _is_deleted(client.delete_artifact(artifact.id))
    return await _is_deleted(client.delete_flow_run(run_id))


async def _is_deleted(call: Awaitable[None]) -> int:
    """1 where this call deleted it, 0 where it was gone already."""
    try:
        await call
    except ObjectNotFound:
        return 0
    except PrefectHTTPStatusError as error:
        if error.response.status_code == 404:
            return 0
        raise
    return 1
