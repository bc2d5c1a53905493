"""Tidies: deletes what is marked for deletion, in Baton's database and at Prefect. Any process may do it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import httpx
from prefect.client.orchestration import PrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from sqlmodel import Session

from app.named_server import NoServer, named_server
from flows import tidying
from storage import chores
from tasks.erasure import erasing
from tasks.erasure.erasing import Receipt
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.tidying")
#: How long (Baton's time) an erasure is left to the command that asked for it.
LEFT_ALONE = timedelta(minutes=1)


async def tidy(box: Toolbox, client: PrefectClient) -> int:
    """Finish the erasures under way and delete what is to be deleted at Prefect; return how many erasures ended.

    Raises httpx.HTTPError or PrefectHTTPStatusError where the Prefect server does not answer: try again later then.
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


async def at_named_server(box: Toolbox) -> tuple[dict[str, int], str]:
    """Delete at the named Prefect server what waits for it; return how much of what, and why not all of it (empty for all)."""
    later = "a worker deletes what is there when it is back."
    try:
        with named_server(box.settings.folder):
            async with get_client() as client:
                return await tidying.carry_out(box, client), ""
    except NoServer:  # another server would have none of it, and Baton would take it for deleted
        return {}, f"No Prefect server is named (PREFECT_API_URL): {later}"
    except (httpx.HTTPError, PrefectHTTPStatusError) as error:
        return {}, f"The Prefect server does not answer ({type(error).__name__}): {later}"


async def erase(box: Toolbox, client: PrefectClient, lead_id: int) -> Receipt:
    """Carry out an erasure that was asked for. Raises as tidy does, after everything that needs no Prefect server is done."""
    words, found = await erasing.clear(box, lead_id)
    at_prefect = await tidying.carry_out(box, client)
    return await erasing.close(box, lead_id, words, found, at_prefect)
