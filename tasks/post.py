"""Post: messages that no handoff's run sends, because they belong to a person or to what is over: the clock sends them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from agreements.errors import DeliveryError
from notifications.letter import Letter
from storage import deliveries
from tasks import letters, own_templates
from tasks.digest import NothingToSay
from tasks.sending import marked, write_outcome
from tasks.toolbox import Toolbox

log = logging.getLogger("baton.post")
AT_ONCE = 20
#: A message that was being sent for so long, in real time, when nobody has told how it went, may have arrived or not.
GIVEN_UP_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Ready:
    id: int
    channel: str
    letter: Letter


async def send_post(box: Toolbox) -> int:
    """Sends what is due, side by side, each under its key, and writes down what became of it; how many were dealt with."""
    ready, moved = await box.write(_claim)
    await asyncio.gather(*(_send(box, one) for one in ready))
    return moved


def _claim(session: Session, now: datetime) -> tuple[Sequence[_Ready], int]:
    real, ready = datetime.now(UTC), []
    moved = deliveries.abandon_post(session, claimed_before=real - GIVEN_UP_AFTER, now=now)
    for row in deliveries.due_post(session, now=now, limit=AT_ONCE):
        moved += 1
        try:
            letter = marked(letters.by_post(session, row, now=now), row.id or 0)
            own_templates.note_faults(session, row, None, letter, now=now)
        except NothingToSay:
            deliveries.drop(session, row.id or 0)
            continue
        except Exception as error:  # a faulty template or address stops no other message: it stands in the row
            log.warning("delivery %s could not be prepared: %s", row.key, error)
            row.tries += 1
            deliveries.failed(session, row, None, error=f"could not be written: {error}", permanent=True, now=now)
            continue
        if deliveries.claim(session, row.id or 0, real=real):
            ready.append(_Ready(row.id or 0, row.channel, letter))
    return ready, moved


async def _send(box: Toolbox, ready: _Ready) -> None:
    error: DeliveryError | None = None
    proof, channel = "", box.channels.get(ready.channel)
    try:
        if channel is None:
            raise DeliveryError(ready.channel, "is not set up here", permanent=True)
        proof = await channel.send(ready.letter)
    except DeliveryError as raised:
        error = raised
    except Exception as raised:  # a channel that breaks in an unforeseen way is a failed delivery
        error = DeliveryError(ready.channel, f"{type(raised).__name__}: {raised}")

    await box.write(lambda session, now: write_outcome(session, ready.id, None, proof, error, now=now))
