"""Tell the story of a lead in its run in Prefect."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

import httpx
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import ArtifactCreate, LogCreate
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError

from flows import event_stream
from flows.lead_events import for_prefect
from flows.story import Story

#: The name of the logger under which Prefect shows the lines.
LOGGER = "baton.lead"
ABOUT_TIMELINE = "What happened to this lead, from its first moment to its end."
#: How long a server that does not answer may take, in seconds. The lines then wait for the next attempt.
PATIENCE_SECONDS = 10.0
log = logging.getLogger("baton.attempt")


async def tell(story: Story) -> bool:
    """Send the story to the current run: a call for its lines and one for its timeline. Return whether Prefect has them.

    Never raises for a server that is away. Outside of a run, as in tests without Prefect, there is nobody to tell.
    """
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return False
    assert isinstance(context.client, PrefectClient), "an asynchronous flow has an asynchronous client"
    with suppress(httpx.HTTPError, PrefectHTTPStatusError, TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            await send(context.client, context.flow_run, story)
            return True
    log.warning("the Prefect server did not take the log of run %s; the next attempt tells it", context.flow_run.id)
    return False


async def send(client: PrefectClient, run: FlowRun, story: Story) -> None:
    """Send the story to this run. The events go last: where the server is away, none waits in this process."""
    if story.lines:
        await client.create_logs(
            [LogCreate(name=LOGGER, level=line.level, message=line.text, timestamp=line.at, flow_run_id=run.id) for line in story.lines]
        )
    if story.timeline:
        new = ArtifactCreate(type="markdown", data=story.timeline, description=ABOUT_TIMELINE, flow_run_id=run.id)
        await client.create_artifact(new)
    for event in story.events:
        event_stream.hand_over(for_prefect(event, run))
