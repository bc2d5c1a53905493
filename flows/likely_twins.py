"""Likely twins: look for leads that may be one person."""

from __future__ import annotations

from prefect import flow

from tasks.background.twins import find_twins
from tasks.wiring import toolbox


@flow(name="likely-twins", retries=0, persist_result=False)
async def likely_twins() -> int:
    """Look for pairs of leads that may be one person, and show them to marketing. Return how many pairs there are."""
    return len(await find_twins(toolbox.current()))
