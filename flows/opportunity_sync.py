"""Opportunity sync: read the changes that sales made in the CRM, also between two reads by the clock."""

from __future__ import annotations

from prefect import flow

from tasks.background.read_crm import read_crm
from tasks.wiring import toolbox


@flow(name="opportunity-sync", retries=0, persist_result=False)
async def opportunity_sync() -> int:
    """Read the changes in the CRM since the last read. Return how many there were."""
    return await read_crm(toolbox.current())
