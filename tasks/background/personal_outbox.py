"""The personal outbox: the clock sends messages that no handoff's run sends, because they are about a person or an ended handoff.

Each message is loaded in a read, written outside of any transaction, claimed in a short one, and sent. Then its outcome is stored.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from agreements.errors import DeliveryError
from agreements.words import ChannelName, MessageKind
from notifications.letter import Letter
from notifications.links import Links
from storage import deliveries, digests, mail_findings
from storage.tables import Delivery, DeliveryState
from tasks.background import personal_messages
from tasks.background.slices import write_in_slices
from tasks.messages import digest, digest_message, template_faults
from tasks.messages.digest_message import Composed
from tasks.messages.drafts import Draft
from tasks.messages.outbox import Outcome, marked, write_outcome
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.personal_outbox")
AT_ONCE = 20
#: After this real time without an outcome, a message that was being sent counts as unknown: it may have arrived or not.
GIVEN_UP_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A claimed message. digest: the digest's key, empty for other messages; items: ids of the digest's items."""

    id: int
    channel: ChannelName
    letter: Letter
    digest: str = ""
    items: tuple[int, ...] = ()


async def send_personal_messages(box: Toolbox, *, only: MessageKind | None = None) -> int:
    """Sends the due messages concurrently, each under its key, and stores the outcomes; returns how many were handled.

    only: sends nothing but this message, None for all.
    """
    real = datetime.now(UTC)
    given_up_before = real - GIVEN_UP_AFTER
    moved, stale, due = 0, *await box.read(lambda session, now: _look(session, given_up_before, now, only))
    if stale:
        moved += await box.write(lambda session, now: deliveries.abandon_personal(session, claimed_before=given_up_before, now=now))
    ready = [one for ident in due if (one := await _prepare(box, ident, real)) is not None]
    await asyncio.gather(*(_send(box, one) for one in ready))
    return moved + len(due)


def _look(session: Session, given_up_before: datetime, now: datetime, only: MessageKind | None) -> tuple[bool, list[int]]:
    stale = deliveries.has_stale_personal(session, claimed_before=given_up_before)
    return stale, deliveries.due_personal(session, now=now, limit=AT_ONCE, only=only)


async def _prepare(box: Toolbox, ident: int, real: datetime) -> _Ready | None:
    """Writes and claims one message, None if it must not be sent now. If it cannot be written, its row gets the error."""
    try:
        composed, draft = await box.read(lambda session, now: _load(session, box, ident, now))
        letter = await asyncio.to_thread(draft.written, box.templates) if draft else None
    except Exception as error:
        said = f"could not be written: {error}"
        await box.write(lambda session, now: _not_written(session, ident, said, now))
        return None
    ready = await box.write(lambda session, now: _claim(session, box.links, ident, letter, composed, now=now, real=real))
    if ready is not None:
        # Only the process that claimed the digest stores its items. If this process dies meanwhile, nobody knows whether the
        # digest went out, and the next digest contains all of its items.
        await write_in_slices(box, ready.items, lambda session, now, few: digests.put_in(session, ready.digest, few))
    return ready


def _load(session: Session, box: Toolbox, ident: int, now: datetime) -> tuple[Composed | None, Draft | None]:
    row = session.get(Delivery, ident)
    assert row is not None, "a delivery is never deleted"
    if row.message != digest.MESSAGE:
        return None, personal_messages.draft_of(session, box, row, now=now)
    composed = digest_message.compose(session, row, box.links, now=now, window=box.settings.prefect_window)
    return composed, composed.draft


def _claim(
    session: Session, links: Links, ident: int, letter: Letter | None, composed: Composed | None, *, now: datetime, real: datetime
) -> _Ready | None:
    """Claims the message, unless another process has claimed it, or it must not be sent as it was written."""
    if composed is not None and not composed.found.news:
        digest.expect_news(session, now=now)  # before this row is locked: everywhere marketing's digest is locked before any other
    row = _queued(session, ident)
    if row is not None and personal_messages.is_silenced(session, row):
        deliveries.drop(session, ident)
        return None
    if row is None or (composed is not None and not digest_message.may_go(session, row, composed, now=now)) or letter is None:
        return None
    if row.channel in mail_findings.MAIL and mail_findings.closed_mailboxes(session, [row.person]):
        deliveries.failed(session, row, None, error=mail_findings.CLOSED, permanent=True, now=now)
        return None
    template_faults.note_faults(session, row, None, letter, now=now)
    if not deliveries.claim(session, ident, real=real):
        return None
    ready = _Ready(ident, row.channel, marked(letter, ident, links))
    return replace(ready, digest=row.key, items=composed.found.all_items) if composed else ready


def _not_written(session: Session, ident: int, error: str, now: datetime) -> None:
    row = _queued(session, ident)
    if row is not None:
        log.warning("delivery %s %s", row.key, error)
        row.tries += 1
        deliveries.failed(session, row, None, error=error, permanent=True, now=now)


def _queued(session: Session, ident: int) -> Delivery | None:
    """The queued message, locked until this transaction ends; None if another process has handled it."""
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
    except Exception as raised:  # an unforeseen error of a channel is a failed delivery
        error = DeliveryError(ready.channel, f"{type(raised).__name__}: {raised}")

    await box.write(lambda session, now: write_outcome(session, Outcome(ready.id, proof, error), box.channels, now=now))
