"""Sending: what is queued goes out, each under its key, and what became of it is written down."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.clauses.handover import Notify
from agreements.errors import CrmError, DeliveryError, DeliveryUnknown
from notifications.letter import Letter
from notifications.rendering import render
from storage import deliveries, handoffs
from storage.tables import Delivery, Handoff
from tasks import contexts, own_templates, toolbox
from tasks.turn import Turn

log = logging.getLogger("baton.sending")
#: Messages to the CRM that change a record rather than tell somebody something.
RECORDS = ("status", "opportunity")
#: Messages that are written with the templates of another one.
WRITTEN_AS = {"attached": "told"}


@dataclass(frozen=True, slots=True)
class _Claimed:
    id: int
    channel: str
    message: str
    key: str
    letter: Letter | None
    facts: dict[str, str]
    owner: str
    lead_number: str


async def send_due(turn: Turn) -> Turn:
    """Sends everything of this handoff that is due: channels side by side, within a channel in order.

    What an earlier attempt left half sent is unknown, and not sent again.
    """
    queues: dict[str, list[int]] = {}

    def collect(session: Session, handoff: Handoff, now: datetime) -> None:
        deliveries.abandon_half_sent(session, handoff, now=now)
        for row in deliveries.due(session, handoff.id or 0, now=now):
            queues.setdefault(row.channel, []).append(row.id or 0)

    async def send(queue: list[int]) -> None:
        for ident in queue:
            await _send_one(turn, ident)

    await turn.save(collect)
    await asyncio.gather(*(send(queue) for queue in queues.values()))
    return await turn.save(lambda session, handoff, now: None)


async def _send_one(turn: Turn, ident: int) -> None:
    claimed: list[_Claimed] = []

    def claim(session: Session, handoff: Handoff, now: datetime) -> None:
        row = session.get(Delivery, ident)
        if row is None:
            return
        try:
            ready = _prepare(session, handoff, row, now)
        except Exception as error:  # a faulty template or address must not stop the lead: it stands in the row
            log.warning("delivery %s could not be prepared: %s", row.key, error)
            row.tries += 1
            deliveries.failed(session, row, handoff, error=f"could not be written: {error}", permanent=True, now=now)
            return
        if deliveries.claim(session, ident):
            claimed.append(ready)

    await turn.save(claim)
    for ready in claimed:
        error: DeliveryError | CrmError | None = None
        proof = ""
        try:
            proof = await _hand_over(ready)
        except (DeliveryError, CrmError) as raised:
            error = raised
        except Exception as raised:  # a channel that breaks in an unforeseen way is a failed delivery, not a failed run
            error = DeliveryError(ready.channel, f"{type(raised).__name__}: {raised}")
        await turn.save(_outcome(ident, proof, error))


def _outcome(ident: int, proof: str, error: DeliveryError | CrmError | None):  # type: ignore[no-untyped-def]
    return lambda session, handoff, now: write_outcome(session, ident, handoff, proof, error, now=now)


def write_outcome(
    session: Session, delivery_id: int, handoff: Handoff | None, proof: str, error: DeliveryError | CrmError | None, *, now: datetime
) -> None:
    """Writes down what became of a message that was claimed. proof: what the channel answered; error: why it did not take it."""
    row = session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)
    assert row is not None, "a claimed delivery is never deleted"
    if error is None:
        bounces = _bounces_within(session, row, handoff)
        deliveries.succeeded(session, row, handoff, proof=proof, now=now, may_bounce_for=bounces)
    elif isinstance(error, DeliveryUnknown):
        deliveries.lost_sight(session, row, handoff, error=str(error), now=now)
    else:
        rest = error.retry_after_seconds if isinstance(error, DeliveryError) else None
        deliveries.failed(session, row, handoff, error=str(error), permanent=error.permanent, now=now, retry_after_seconds=rest)


def _bounces_within(session: Session, row: Delivery, handoff: Handoff | None) -> timedelta:
    """How long what this channel took may come back, as agreed; for what belongs to no agreement, as usual."""
    channel = toolbox.current().channels.get(row.channel)
    if channel is None or not channel.may_bounce or row.message in RECORDS:
        return timedelta(0)
    agreed = handoffs.agreement_of(session, handoff).notify if handoff and handoff.agreement else Notify()
    return agreed.bounces_within


def _prepare(session: Session, handoff: Handoff, row: Delivery, now: datetime) -> _Claimed:
    number = str(handoff.lead_id)
    if row.message in RECORDS:
        facts = {name: str(value) for name, value in row.context.get("values", {}).items()}
        return _Claimed(row.id or 0, row.channel, row.message, row.key, None, facts, row.person, number)
    context = contexts.context_of(session, handoff, row, now=now)
    facts = contexts.crm_facts(context)
    message = WRITTEN_AS.get(row.message, row.message)
    letter = render(message, context, key=row.key, thread=f"lead-{number}-{handoff.id}", facts=facts, folder=toolbox.current().templates)
    own_templates.note_faults(session, row, handoff, letter, now=now)
    return _Claimed(row.id or 0, row.channel, row.message, row.key, marked(letter, row), facts, row.person, number)


def marked(letter: Letter, row: Delivery) -> Letter:
    """The letter with the mark by which a bounce names its delivery."""
    return replace(letter, bounce_mark=toolbox.current().links.bounce_marks.of(row.id or 0))


async def _hand_over(ready: _Claimed) -> str:
    box = toolbox.current()
    if ready.message == "status":
        return await box.crm.update(key=ready.key, lead_number=ready.lead_number, values=ready.facts)
    if ready.message == "opportunity":
        return await box.crm.create_opportunity(key=ready.key, lead_number=ready.lead_number, owner=ready.owner, facts=ready.facts)
    channel = box.channels.get(ready.channel)
    if channel is None or ready.letter is None:
        raise DeliveryError(ready.channel, "is not set up here", permanent=True)
    return await channel.send(ready.letter)


def crm_status(
    session: Session,
    handoff: Handoff,
    stage: str,
    *,
    key: str,
    now: datetime,
    send_at: datetime | None = None,
    answer_id: int | None = None,
) -> None:
    """Queues what the CRM shows for this stage, in the company's own words; nothing where the agreement has none."""
    words = handoffs.agreement_of(session, handoff).crm.get(stage)
    if words:
        deliveries.queue(
            session,
            handoff,
            "status",
            key=f"{key}:crm-status",
            channel="crm",
            person=handoff.rep,
            now=now,
            send_at=send_at,
            answer_id=answer_id,
            context={"values": dict(words)},
        )
