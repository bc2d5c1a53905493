"""Sending: queued messages go out, each under its key, and the outcome of each is written down."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from agreements import crm_words
from agreements.clauses.clocks import CrmStage
from agreements.clauses.handover import Notify
from agreements.errors import CrmError, DeliveryError, DeliveryUnknown
from agreements.model import Reason
from agreements.words import ChannelName, MessageKind, TemplateName
from notifications.channels.crm import ASSIGNMENTS
from notifications.letter import Channel, Context, Letter
from notifications.links import Links
from notifications.rendering import render
from storage import crm_values, deliveries, handoffs, mail_findings, opportunities
from storage.tables import Answer, Delivery, Handoff
from tasks.messages import lead_context, template_faults
from tasks.wiring.toolbox import Toolbox
from tasks.work import Work

log = logging.getLogger("baton.sending")
#: Messages to the CRM that change a record and have no reader.
RECORDS: tuple[MessageKind, ...] = ("status", "opportunity")
#: Messages that use the templates of another message.
WRITTEN_AS: Mapping[MessageKind, TemplateName] = {"attached": "told"}


@dataclass(frozen=True, slots=True)
class Ready:
    """A claimed message, to be written and handed to its channel once. context: None for a message that changes a record."""

    id: int
    channel: ChannelName
    message: MessageKind
    key: str
    thread: str
    context: Context | None
    facts: dict[str, str]
    owner: str
    lead_number: str
    letter: Letter | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a message that was handed over. proof: the channel's answer; error: why the channel did not take the
    message; letter: as it was written, None if it was not."""

    delivery_id: int
    proof: str = ""
    error: DeliveryError | CrmError | None = None
    letter: Letter | None = None


def claim_due(work: Work, links: Links) -> list[Ready]:
    """Claims the first due message of each channel. After a crash, only the messages that were being sent are unknown.

    A message that an earlier attempt left half sent is marked as unknown, and is not sent again.
    """
    session, handoff = work.session, work.handoff
    rows, sending, refused = deliveries.to_send(session, handoff.id, now=work.now)
    for row in refused:  # the agreed fallback goes out instead
        deliveries.failed(session, row, handoff, error=mail_findings.CLOSED, permanent=True, now=work.now)
    deliveries.abandon_half_sent(session, handoff, now=work.now, rows=[row for row in sending if row.id not in work.in_flight])
    if handoffs.lead_of(session, handoff).do_not_contact:
        rows = deliveries.keep_records(session, rows)
    ready: dict[str, Ready] = {}
    for row in rows:
        if row.channel not in ready and (claimed := _claimed(session, handoff, row, links, work.now)):
            ready[row.channel] = claimed
            _expect_echo(session, handoff, row, claimed, work.now)
    deliveries.claim_all(session, [one.id for one in ready.values()])
    left = [row for row in rows if row.channel in ready and row.id != ready[row.channel].id]
    deliveries.note_speech(session, handoff, bool(left))
    return list(ready.values())


def _expect_echo(session: Session, handoff: Handoff, row: Delivery, ready: Ready, now: datetime) -> None:
    """Keeps what is about to be written into the CRM, since the CRM may report it as a change before it confirms it."""
    if row.message == "status":
        crm_values.set_by_baton(session, handoff.lead_id, ready.facts, at=now)
    elif row.channel == "crm" and row.message in ASSIGNMENTS:
        crm_values.set_by_baton(session, handoff.lead_id, {crm_words.OWNER: ready.facts.get("owner") or row.person}, at=now)


def _claimed(session: Session, handoff: Handoff, row: Delivery, links: Links, now: datetime) -> Ready | None:
    """The message with its content; None if the content cannot be loaded. The row then has the error."""
    try:
        return _prepare(session, handoff, row, links, now)
    except Exception as error:  # a faulty template or address must not stop the lead
        log.warning("delivery %s could not be prepared: %s", row.key, error)
        row.tries += 1
        deliveries.failed(session, row, handoff, error=f"could not be written: {error}", permanent=True, now=now)
        return None


def write_letter(ready: Ready, box: Toolbox) -> Ready | Outcome:
    """Write the message as it goes out, outside of any transaction. Returns an outcome if the message cannot be written."""
    if ready.context is None:
        return ready
    words = WRITTEN_AS.get(ready.message, ready.message)
    try:
        letter = render(words, ready.context, key=ready.key, thread=ready.thread, facts=ready.facts, folder=box.templates)
    except Exception as error:  # a faulty template must not stop the lead
        log.warning("delivery %s could not be prepared: %s", ready.key, error)
        return Outcome(ready.id, error=DeliveryError(ready.channel, f"could not be written: {error}", permanent=True))
    return replace(ready, letter=marked(letter, ready.id, box.links))


async def hand_over(ready: Ready, box: Toolbox) -> Outcome:
    """Hands one message to its channel. An unforeseen error of the channel fails the delivery, not the attempt."""
    try:
        return Outcome(ready.id, await _hand_over(ready, box), letter=ready.letter)
    except (DeliveryError, CrmError) as raised:
        return Outcome(ready.id, error=raised, letter=ready.letter)
    except Exception as raised:
        return Outcome(ready.id, error=DeliveryError(ready.channel, f"{type(raised).__name__}: {raised}"), letter=ready.letter)


def write_outcomes(
    session: Session, handoff: Handoff, outcomes: Sequence[Outcome], channels: Mapping[ChannelName, Channel], *, now: datetime
) -> None:
    """Writes down the outcomes of these messages of one handoff. channels: as in the toolbox."""
    ids = [one.delivery_id for one in outcomes]
    locked = select(Delivery).where(col(Delivery.id).in_(ids)).with_for_update().execution_options(populate_existing=True)
    rows = {row.id: row for row in session.exec(locked)} if ids else {}
    for one in outcomes:
        row = rows[one.delivery_id]
        if one.letter is not None:
            template_faults.note_faults(session, row, handoff, one.letter, now=now)
        _write(session, row, handoff, one, channels, now=now)
    deliveries.write_together(session, rows.values())


def write_outcome(session: Session, outcome: Outcome, channels: Mapping[ChannelName, Channel], *, now: datetime) -> None:
    """Writes down the outcome of a claimed message that belongs to no handoff. channels: as in the toolbox."""
    row = session.get(Delivery, outcome.delivery_id, with_for_update=True, populate_existing=True)
    assert row is not None, "a claimed delivery is never deleted"
    _write(session, row, None, outcome, channels, now=now)


def _write(
    session: Session, row: Delivery, handoff: Handoff | None, outcome: Outcome, channels: Mapping[ChannelName, Channel], *, now: datetime
) -> None:
    error = outcome.error
    if error is None:
        channel = channels.get(row.channel)
        bounces, unread = _bounces_within(session, row, handoff, channel), channel is not None and not channel.read_by_people
        if row.message == "opportunity" and handoff is not None and outcome.proof:
            opportunities.created_by_baton(session, handoff, outcome.proof, now=now)
        deliveries.succeeded(session, row, handoff, proof=outcome.proof, now=now, may_bounce_for=bounces, unread=unread)
    elif isinstance(error, DeliveryUnknown):
        deliveries.outcome_unknown(session, row, handoff, error=str(error), now=now)
    else:
        rest = error.retry_after_seconds
        deliveries.failed(session, row, handoff, error=str(error), permanent=error.permanent, now=now, retry_after_seconds=rest)


def _bounces_within(session: Session, row: Delivery, handoff: Handoff | None, channel: Channel | None) -> timedelta:
    """How long a message of this channel may still bounce: as agreed, or the default time for a message without an agreement."""
    if channel is None or not channel.may_bounce or row.message in RECORDS:
        return timedelta(0)
    return agreed_bounce_time(session, handoff)


def agreed_bounce_time(session: Session, handoff: Handoff | None) -> timedelta:
    """How long an e-mail may still bounce: as agreed, or the default time for a message without an agreement."""
    agreed = handoffs.agreement_of(session, handoff).notify if handoff and handoff.agreement else Notify()
    return agreed.bounces_within


def _prepare(session: Session, handoff: Handoff, row: Delivery, links: Links, now: datetime) -> Ready:
    number, thread = str(handoff.lead_id), f"lead-{handoff.lead_id}-{handoff.id}"
    if row.message in RECORDS:
        facts = {name: str(value) for name, value in row.context.get("values", {}).items()}
        return Ready(row.id, row.channel, row.message, row.key, thread, None, facts, row.person, number)
    context = lead_context.context_of(session, handoff, row, links, now=now)
    facts = lead_context.crm_facts(context)
    if row.channel == "crm":
        facts |= lead_context.person_facts(handoffs.lead_of(session, handoff), context.lead)
    return Ready(row.id, row.channel, row.message, row.key, thread, context, facts, row.person, number)


def marked(letter: Letter, delivery_id: int, links: Links) -> Letter:
    """Return the letter with the mark by which a bounce names its delivery."""
    return replace(letter, bounce_mark=links.bounce_marks.of(delivery_id))


async def _hand_over(ready: Ready, box: Toolbox) -> str:
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
    stage: CrmStage,
    *,
    key: str,
    now: datetime,
    send_at: datetime | None = None,
    answer_id: int | None = None,
) -> None:
    """Queues the CRM's values for this stage, in the company's own words; nothing if the agreement has none."""
    if words := crm_words.values_at(handoffs.agreement_of(session, handoff), stage):
        message = deliveries.Message("status", context={"values": words}, answer_id=answer_id)
        deliveries.queue(session, handoff, message, deliveries.Copy(f"{key}:crm-status", "crm", handoff.rep), now=now, send_at=send_at)


def crm_rejection(session: Session, handoff: Handoff, answer: Answer, reason: Reason | None, *, now: datetime) -> None:
    """Queues the CRM's values for a rejection with this reason, for the time at which it is final; nothing if the agreement has none."""
    agreement = handoffs.agreement_of(session, handoff)
    words = crm_words.values_at(agreement, "rejected")
    if reason is not None and reason.crm:
        words = crm_words.values_of(agreement, reason)
    if words:
        message = deliveries.Message("status", context={"values": words})
        copy = deliveries.Copy(f"answer:{answer.id}:crm-status", "crm", handoff.rep)
        deliveries.queue(session, handoff, message, copy, now=now, send_at=max(now, answer.effective_at))
