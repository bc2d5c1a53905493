"""The queue of leads to fetch: a notification is stored first, then a worker asks the vendor for the lead and takes it in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
from sqlmodel import Session

from app.csv_import.errors import UnreadableFile
from app.intake_doors import doors, mapping, payload
from app.intake_doors.delivering import Delivered, Delivery, reason_of, take_part
from app.intake_doors.door_map import DoorMap
from app.intake_doors.fetching import FetchFailed, fetch
from app.intake_doors.mapping import Part
from storage import door_days, kept_payloads
from storage.tables import KeptPayload
from tasks.wiring.intake_secrets import secret_of
from tasks.wiring.toolbox import Toolbox
from tasks.wiring.wrong_setting import WrongSetting

log = logging.getLogger("baton.intake")
#: So many leads are asked for at once, and so many in one turn of the clock.
AT_ONCE, IN_ONE_TURN = 4, 40
#: After so many tries, more than a day, a person has to look.
MOST_TRIES = 14
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)


async def fetch_leads(box: Toolbox) -> int:
    """Fetch the leads that are due; return how many. What fails is tried again later and later, and then shown as failed."""
    done = 0
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        while done < IN_ONE_TURN and (
            rows := await box.write(lambda session, now: kept_payloads.claim_due(session, now=now, limit=AT_ONCE))
        ):
            await asyncio.gather(*(_fetch_one(box, client, row) for row in rows))
            done += len(rows)
    return done


async def _fetch_one(box: Toolbox, client: httpx.AsyncClient, row: KeptPayload) -> None:
    """Fetch one lead and take it in. No fault of one lead concerns another."""
    try:
        door, part, token = _prepared(box, row)
        assert door.fetch is not None
        value = await fetch(client, door.fetch, mapping.fetch_id(door, part), token)
    except FetchFailed as error:
        await box.write(_failed(row, str(error), for_good=error.for_good, wait=error.wait))
    except (UnreadableFile, WrongSetting) as error:
        await box.write(_failed(row, str(error)))
    else:
        sent = Delivery(row.door, door, b"", "")
        await asyncio.to_thread(_take, box, row, sent, Part(value, part.whole))


def _prepared(box: Toolbox, row: KeptPayload) -> tuple[DoorMap, Part, str]:
    """Return map, notification and token. Raises FetchFailed, UnreadableFile, WrongSetting."""
    door = doors.door(box.settings.folder, row.door)
    if door is None or door.fetch is None:
        raise FetchFailed(f"The map of the door {row.door!r} is gone, or says nothing under `fetch`. Put it back.")
    try:
        parts = mapping.parts_of(door, payload.read(kept_payloads.content_of(row), row.content_type).value)
    except (payload.PayloadUnreadable, mapping.TooMany) as error:
        raise FetchFailed(str(error), for_good=True) from error
    if len(parts) != 1 or not mapping.fetch_id(door, parts[0]):
        raise FetchFailed("The map finds no id in the notification any more.", for_good=True)
    return door, parts[0], secret_of(door.fetch.token)


def _take(box: Toolbox, row: KeptPayload, sent: Delivery, part: Part) -> None:
    result = take_part(box, sent, part)

    def settle(session: Session, now: datetime) -> None:
        if result["status"] >= 400:
            kept_payloads.note_failure(session, row.id, reason_of(result), next_at=None)
        else:
            kept_payloads.remove(session, [row.id])
        door_days.add(session, row.door, Delivered([result]).counts, now=now)

    box.write_now(settle)


def _failed(row: KeptPayload, said: str, *, for_good: bool = False, wait: timedelta | None = None) -> Callable[[Session, datetime], None]:
    over = for_good or row.tries + 1 >= MOST_TRIES
    again = wait or min(FIRST_WAIT * 2**row.tries, LONGEST_WAIT)
    log.warning("a lead of the intake door %s could not be fetched%s", row.door, "" if over else ", and is tried again")
    return lambda session, now: kept_payloads.note_failure(session, row.id, said, next_at=None if over else now + again)
