"""Opportunity sync: reads what sales changed in the CRM, so that it counts also between two looks of the clock."""

from __future__ import annotations

from prefect import flow

from tasks.background.read_crm import read_crm
from tasks.wiring import toolbox


@flow(name="opportunity-sync", retries=0, persist_result=False)
async def opportunity_sync() -> int:
    """Takes in the CRM's changes since the last look; how many there were."""
    return await read_crm(toolbox.current())
