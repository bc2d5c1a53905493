"""The operator's message about alarms: once when they begin and once when they end, on the next channel where one does not take it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from agreements import alarms as rules
from agreements import presence
from agreements.alarms import Copy
from agreements.errors import RosterError
from agreements.roster import Person, Roster
from agreements.words import AlarmKind, ChannelName
from notifications.letter import AlarmContext, AlarmRow
from storage import alarms, deliveries, roster
from storage.tables import Alarm, Delivery, DeliveryState
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import recipient
from tasks.wiring.toolbox import Toolbox

MESSAGE: Final = "alarm-told"
#: The channels that reach the operator, in the order of use.
CHANNELS: Final[tuple[ChannelName, ...]] = ("email", "chat", "sms", "webhook")
#: For a person, the channels on which this installation can reach them.
Usable = Callable[[Person], Sequence[ChannelName]]

#: What is wrong, by the kind of alarm, and what to do.
_WHAT: Mapping[AlarmKind, str] = {
    "source-silent": "No lead has come from {subject} since {since}. In the same hours of the four weeks before, {usual} came on average.",
    "clock-late": "Work that was due at {since} is not done yet.{prefect}",
    "no-worker": "No worker has been at work since {since}. Deadlines are not watched, and nobody gets a lead.",
    "lead-stuck": "Lead {subject} has been stuck since {since}{why}.",
    "channel-fails": "The channel {subject} has taken no messages since {since}. Messages that have not gone out: {messages}.",
    "trail-unsealed": "Events of the trail have waited for their seal since {since}.",
}
_TODO: Mapping[AlarmKind, str] = {
    "source-silent": "Send a test lead through it. Look at the form or the connection, and at its key.",
    "clock-late": "Look whether every worker runs, whether the database is slow, and whether Prefect answers.",
    "no-worker": "Start a worker: `baton worker`, or `baton up`. Its log says why it ended.",
    "lead-stuck": "Find the cause with `baton leads show {subject}`, then `baton leads unstick {subject}`.",
    "channel-fails": "`baton leads show` of a lead, and the worker's log, say what the service answers. Look at its settings.",
    "trail-unsealed": "The worker's log says why the trail is not sealed. `baton verify` names what is wrong.",
}
_OVER: Mapping[AlarmKind, str] = {
    "source-silent": "Leads come from {subject} again, or are not expected any more.",
    "clock-late": "The clock is on time again.",
    "no-worker": "A worker is at work again.",
    "lead-stuck": "Lead {subject} is not stuck any more.",
    "channel-fails": "The channel {subject} takes messages again, or nothing has failed there for a day.",
    "trail-unsealed": "The trail is sealed again.",
}


def sentence(row: Alarm) -> str:
    """Return what an alarm says, in a sentence. Instants are in UTC."""
    return _WHAT[row.kind].format(**_facts(row))


def to_do(row: Alarm) -> str:
    """Return what the operator may do about an alarm."""
    return _TODO[row.kind].format(**_facts(row))


def _facts(row: Alarm) -> dict[str, str]:
    given = {name: str(value) for name, value in row.facts.items()}
    why, away = given.get("why", ""), given.get("prefect", "")
    given |= {"why": f": {why}" if why else "", "prefect": " The workers cannot reach the Prefect server." if away else ""}
    return {"usual": "", "messages": "", **given, "subject": row.subject, "since": f"{row.since:%Y-%m-%d %H:%M} UTC"}


def usable(box: Toolbox) -> Usable:
    """Return by which channels of this installation a person can be reached."""
    names, default_chat = set(box.channels), bool(box.settings.chat_url)

    def of(person: Person) -> list[ChannelName]:
        has: Mapping[ChannelName, bool] = {
            "email": bool(person.email),
            "chat": bool(person.chat) or default_chat,
            "sms": bool(person.phone),
            "webhook": True,
        }
        return [one for one in CHANNELS if one in names and has[one]]

    return of


def tell(session: Session, began: Sequence[Alarm], ended: Sequence[Alarm], *, now: datetime) -> None:
    """Note the messages about alarms that began or ended: one for all that began now, and one for all that ended. `go_on` queues them."""
    if began:
        alarms.tell_with(session, began, f"{MESSAGE}:{began[0].id}:began")
    if ended:
        alarms.tell_with(session, ended, f"{MESSAGE}:{ended[0].id}:ended")
    session.flush()


def go_on(session: Session, channels: Usable, *, now: datetime) -> None:
    """Queue each message under way on its first channel, or on the next one where a channel does not take it."""
    with suppress(RosterError):  # without a roster there is nobody to write to
        people = roster.current(session)
        for key in alarms.to_tell(session):
            _go_on(session, people, key, channels, now=now)


def _go_on(session: Session, people: Roster, key: str, channels: Usable, *, now: datetime) -> None:
    keys = {f"{key}:{channel}": channel for channel in CHANNELS}
    rows = {keys[row.key]: row for row in session.exec(select(Delivery).where(col(Delivery.key).in_(list(keys))))}
    copies = {channel: _copy(row) for channel, row in rows.items()}
    arrived = next((channel for channel, one in copies.items() if one.arrived), None)
    if arrived is not None:
        for row in rows.values():
            deliveries.drop(session, row.id)  # only what is still queued
        alarms.told(session, key, by=arrived)
        return
    to = presence.stand_in(people, people.operator, now) or people.operator
    failing = {one.subject for one in alarms.open_ones(session) if one.kind == "channel-fails"}
    channel = rules.next_channel(rules.in_order(channels(people.people[to]), failing), copies, now=now)
    if channel is not None:
        copy = deliveries.Copy(f"{key}:{channel}", channel, to)
        deliveries.queue(session, None, deliveries.Message(MESSAGE, context=_context(session, key)), copy, now=now)
    elif rows and all(row.state in (DeliveryState.FAILED, DeliveryState.UNKNOWN, DeliveryState.CANCELLED) for row in rows.values()):
        alarms.told(session, key, by="")


def _copy(row: Delivery) -> Copy:
    arrived = row.state in (DeliveryState.SENT, DeliveryState.CONFIRMED)
    waits = row.state in (DeliveryState.QUEUED, DeliveryState.SENDING) and not row.error
    return Copy(row.send_at, arrived=arrived, failed=not arrived and not waits)


def _context(session: Session, key: str) -> dict[str, Any]:
    """What the message says, without anything personal: numbers, names of sources and channels, and instants."""
    rows = session.exec(select(Alarm).where(Alarm.telling == key).order_by(col(Alarm.id))).all()
    over = key.endswith(":ended")
    lines = [[_over(row), ""] if over else [sentence(row), to_do(row)] for row in rows]
    first = lines[0][0] if lines else ""
    subject = first.partition(". ")[0].removesuffix(".") if len(lines) == 1 else f"{len(lines)} alarms"
    return {"subject": f"{'Over' if over else 'Alarm'}: {subject}", "rows": lines, "command": "baton alarms"}


def _over(row: Alarm) -> str:
    began = f"{row.began_at:%Y-%m-%d %H:%M} UTC" if row.began_at else ""
    return f"{_OVER[row.kind].format(**_facts(row))} The alarm began at {began}."


def draft_of(session: Session, row: Delivery) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    said = row.context
    rows = tuple(AlarmRow(str(what), str(todo)) for what, todo in said.get("rows", ()))
    to = recipient(roster.current(session), row.person)
    return Draft(MESSAGE, AlarmContext(to, "", str(said["subject"]), rows, str(said["command"])), row.key)
