"""The flow that carries one lead through the agreement: it takes step after step and waits for people in between."""

from __future__ import annotations

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.attempt import SupersededRun, attempt
from flows.parking import come_to_rest


@flow(name="lead-handoff", retries=0, persist_result=False, validate_parameters=False)
async def lead_handoff(handoff: str) -> State:
    """Carry out the agreement for one lead, from inquiry to opportunity or back to nurture."""
    try:
        async with attempt(int(handoff)) as lead:
            while lead.rest is None:
                await lead.take_steps()
                await lead.ask_and_tell()
            return await come_to_rest(lead.rest)
    except SupersededRun as other:
        return Completed(name="Superseded", message=str(other))
