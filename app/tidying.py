"""Tidy: what is stored as still to be deleted is deleted, in Baton's part and at Prefect, by whichever process comes to it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.settings import PREFECT_API_URL
from sqlmodel import Session

from flows import tidying
from storage import chores
from tasks.erasure import erasing
from tasks.erasure.erasing import Receipt
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.tidying")
#: So long (Baton's time) an erasure is left to the command that has asked for it.
LEFT_ALONE = timedelta(minutes=1)


async def tidy(box: Toolbox, client: PrefectClient) -> int:
    """Ends the erasures that are under way, and does what is to be deleted at Prefect; how many erasures ended.

    Raises httpx.HTTPError or PrefectHTTPStatusError where the Prefect server does not answer: then it is tried again later.
    """

    def find(session: Session, now: datetime) -> tuple[list[int], bool, int]:
        asked = erasing.under_way(session)
        left = [lead_id for lead_id, at in asked if at <= now - LEFT_ALONE]
        return left, len(left) < len(asked), chores.count(session)

    leads, is_busy, waiting = await box.read(find)
    ended = 0
    for lead_id in leads:
        ended += (await erase(box, client, lead_id)).is_done
    if waiting and not leads and not is_busy:
        await tidying.carry_out(box, client)
    if ended:
        log.info("%s erasures ended", ended)
    return ended


@asynccontextmanager
async def server() -> AsyncIterator[PrefectClient]:
    """A client of the Prefect server that is named. Raises httpx.ConnectError where none is: on another one nothing would be found,
    and be taken for deleted."""
    if not PREFECT_API_URL.value():
        raise httpx.ConnectError("PREFECT_API_URL is not set")
    async with get_client() as client:
        yield client


async def erase(box: Toolbox, client: PrefectClient, lead_id: int) -> Receipt:
    """Carries out an erasure that was asked for. Raises as tidy does, with everything done that needs no Prefect server."""
    words, found = await erasing.clear(box, lead_id)
    at_prefect = await tidying.carry_out(box, client)
    return await erasing.close(box, lead_id, words, found, at_prefect)
