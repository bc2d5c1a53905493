"""Post: messages that no handoff's run sends, because they belong to a person or to what is over: the clock sends them.

Each is loaded in a read, written outside of any transaction, claimed in a short one, sent, and its outcome written down.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from agreements.errors import DeliveryError
from notifications.letter import Letter
from storage import deliveries, digests
from storage.tables import Delivery, DeliveryState
from tasks.background import personal_messages
from tasks.background.slices import write_in_slices
from tasks.messages import digest, digest_message, template_faults
from tasks.messages.digest_message import Composed
from tasks.messages.drafts import Draft
from tasks.messages.outbox import marked, write_outcome
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.post")
AT_ONCE = 20
#: A message that was being sent for so long, in real time, when nobody has told how it went, may have arrived or not.
GIVEN_UP_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message that was claimed. digest: the key of the digest that it is, empty for none; items: what stands in it."""

    id: int
    channel: str
    letter: Letter
    digest: str = ""
    items: tuple[int, ...] = ()


async def send_post(box: Toolbox) -> int:
    """Sends what is due, side by side, each under its key, and writes down what became of it; how many were dealt with."""
    real = datetime.now(UTC)
    given_up_before = real - GIVEN_UP_AFTER
    moved, stale, due = 0, *await box.read(lambda session, now: _look(session, given_up_before, now))
    if stale:
        moved += await box.write(lambda session, now: deliveries.abandon_post(session, claimed_before=given_up_before, now=now))
    ready = [one for ident in due if (one := await _prepare(box, ident, real)) is not None]
    await asyncio.gather(*(_send(box, one) for one in ready))
    return moved + len(due)


def _look(session: Session, given_up_before: datetime, now: datetime) -> tuple[bool, list[int]]:
    stale = deliveries.has_stale_post(session, claimed_before=given_up_before)
    return stale, deliveries.due_post(session, now=now, limit=AT_ONCE)


async def _prepare(box: Toolbox, ident: int, real: datetime) -> _Ready | None:
    """Writes and claims one message, None where it is not to be sent now; one that cannot be written stands so in its row."""
    try:
        composed, draft = await box.read(lambda session, now: _load(session, ident, now))
        letter = await asyncio.to_thread(draft.written) if draft else None
    except Exception as error:
        said = f"could not be written: {error}"
        await box.write(lambda session, now: _not_written(session, ident, said, now))
        return None
    ready = await box.write(lambda session, now: _claim(session, ident, letter, composed, now, real))
    if ready is not None:
        # Only whoever has claimed it says what stands in it. A process that dies meanwhile leaves a digest of which nobody knows
        # whether it went out, and then all of it is told by the next one.
        await write_in_slices(box, ready.items, lambda session, now, few: digests.put_in(session, ready.digest, few))
    return ready


def _load(session: Session, ident: int, now: datetime) -> tuple[Composed | None, Draft | None]:
    row = session.get(Delivery, ident)
    assert row is not None, "a delivery is never deleted"
    if row.message != digest.MESSAGE:
        return None, personal_messages.by_post(session, row, now=now)
    composed = digest_message.compose(session, row, now=now)
    return composed, composed.draft


def _claim(session: Session, ident: int, letter: Letter | None, composed: Composed | None, now: datetime, real: datetime) -> _Ready | None:
    """Takes the message to be sent, unless somebody else has, or it is not to be sent as it was written."""
    row = _queued(session, ident)
    if row is None or (composed is not None and not digest_message.may_go(session, row, composed, now=now)) or letter is None:
        return None
    template_faults.note_faults(session, row, None, letter, now=now)
    if not deliveries.claim(session, ident, real=real):
        return None
    return _Ready(ident, row.channel, marked(letter, ident), row.key if composed else "", composed.found.items if composed else ())


def _not_written(session: Session, ident: int, error: str, now: datetime) -> None:
    row = _queued(session, ident)
    if row is not None:
        log.warning("delivery %s %s", row.key, error)
        row.tries += 1
        deliveries.failed(session, row, None, error=error, permanent=True, now=now)


def _queued(session: Session, ident: int) -> Delivery | None:
    """The message, kept from others until this transaction ends; None where somebody else has dealt with it."""
    row = session.get(Delivery, ident, with_for_update=True, populate_existing=True)
    return row if row is not None and row.state == DeliveryState.QUEUED else None


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
