"""CRM comparison: list the leads and opportunities of which Baton and the CRM say different things."""

from __future__ import annotations

from contextlib import suppress

import httpx
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactCreate
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.exceptions import PrefectHTTPStatusError
from prefect.states import Completed, Failed

from agreements.crm_comparison import IN_SHORT
from agreements.errors import CrmError
from agreements.wording.markdown import escaped
from tasks.background.compare_crm import Compared, compare_crm, in_words
from tasks.messages import crm_message
from tasks.wiring import toolbox

#: How many lines the table of a run has at most.
LINES = 500


@flow(name="crm-comparison", retries=0, persist_result=False)
async def crm_comparison() -> State:
    """Compare Baton with the CRM. The run shows what differs, without personal data, and the operator gets a message about it once.

    A CRM that does not answer fails the run, which says why. The next night compares anew.
    """
    box = toolbox.current()
    try:
        found = await compare_crm(box)
    except CrmError as error:
        return Failed(message=str(error))
    await box.write(lambda session, now: crm_message.tell(session, found.findings, now=now))
    await _show(found)
    return Completed(message=in_words(found))


async def _show(found: Compared) -> None:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        return
    about = "What Baton and the CRM say differently. `baton verify --crm` says more about each lead, and what to do."
    with suppress(httpx.HTTPError, PrefectHTTPStatusError):  # the operator gets a message all the same
        async with get_client() as client:
            new = ArtifactCreate(type="markdown", data=table(found), description=about, flow_run_id=context.flow_run.id)
            await client.create_artifact(new)


def table(found: Compared) -> str:
    """Return the findings as a Markdown table: number, company and kind. Values and names of people stay out of Prefect."""
    rows = [f"| {one.lead} | {escaped(one.company) or '–'} | {IN_SHORT[one.kind]} |" for one in found.findings[:LINES]]
    more = [f"\nAnd {len(found.findings) - LINES:,} more: `baton verify --crm` lists all."] if len(found.findings) > LINES else []
    listed = ["| lead | company | what differs |", "|---|---|---|", *rows, *more] if rows else []
    return "\n".join([*listed, "", in_words(found)]).strip()
