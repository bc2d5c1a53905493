"""Deliveries: each message to one person over one channel as a row that exists before it is sent."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, literal, or_, update
from sqlalchemy.orm.attributes import get_history, set_committed_value
from sqlmodel import Session, col, select

from agreements.words import ChannelName, MessageKind
from storage import held, mail_findings, trail, trail_lines, wakes
from storage.tables import Delivery, DeliveryState, Handoff

PROVEN = (DeliveryState.CONFIRMED,)
#: The error in a row whose attempt died while sending.
DIED = "its attempt died while it was being sent"
#: Minutes until a delivery that failed for a passing reason is tried again, by the number of tries so far.
BACK_OFF_MINUTES = (1, 2, 5, 15, 60)
#: Limits for how long a channel rests when it asks to: it is neither called all the time nor forgotten.
SHORTEST_REST, LONGEST_REST = timedelta(seconds=10), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a message: who gets it, over which channel, and the key that makes sure it is sent once."""

    key: str
    channel: ChannelName
    person: str


@dataclass(frozen=True, slots=True)
class Message:
    """The content of one message, for every recipient. kind: its name in the catalogue; context: codes and numbers for its templates."""

    kind: MessageKind
    context: dict[str, Any] | None = None
    assignment_id: str = ""
    answer_id: int | None = None


def queue(
    session: Session, handoff: Handoff | None, message: Message, copy: Copy, *, now: datetime, send_at: datetime | None = None
) -> bool:
    """Queues one message; the same key twice is one message. send_at: the earliest time (Baton's time), now where not given.

    handoff: the handoff whose run sends the message; None for a personal message, which the clock sends.
    """
    return queue_copies(session, handoff, message, [copy], now=now, send_at=send_at) == 1


def queue_copies(
    session: Session, handoff: Handoff | None, message: Message, copies: Sequence[Copy], *, now: datetime, send_at: datetime | None = None
) -> int:
    """Queues all copies of a message in one statement, like `queue`. Returns how many are new."""
    at = send_at or now
    shared = {
        "handoff_id": handoff.id if handoff else None,
        "assignment_id": message.assignment_id,
        "answer_id": message.answer_id,
        "message": message.kind,
        "context": message.context or {},
        "state": DeliveryState.QUEUED.value,
        "send_at": at,
        "tries": 0,
        "error": "",
        "permanent": False,
        "proof": "",
    }
    rows = [{**shared, "key": one.key, "channel": one.channel, "person": one.person} for one in copies]
    new = wakes.insert_new(session, Delivery, rows)
    mine = held.of(session, handoff.id) if handoff else None
    if new and mine and at <= now:
        mine.speech = True  # the attempt that holds the lead sends it before it rests; should it die, its lease ends and another comes
    elif new and handoff:
        wakes.add(session, handoff.id, "speak", key=f"speak:{copies[0].key}:0", not_before=at)
    return new


def speech_is_due(session: Session, handoff_id: int, *, now: datetime) -> bool:
    """Whether a message of this handoff is queued and due, or an attempt died while sending one."""
    mine = held.of(session, handoff_id)
    if mine is not None and mine.speech is not None:
        return mine.speech
    queued = and_(col(Delivery.state) == DeliveryState.QUEUED, col(Delivery.send_at) <= now)
    query = select(Delivery.id).where(Delivery.handoff_id == handoff_id, or_(queued, col(Delivery.state) == DeliveryState.SENDING))
    found = session.exec(query.limit(1)).first() is not None
    if mine is not None:
        mine.speech = found
    return found


def due(session: Session, handoff_id: int, *, now: datetime) -> list[Delivery]:
    """The queued messages of this handoff that are due, in order."""
    query = select(Delivery).where(Delivery.handoff_id == handoff_id, Delivery.state == DeliveryState.QUEUED, col(Delivery.send_at) <= now)
    return list(session.exec(query.order_by(col(Delivery.id))))


def to_send(session: Session, handoff_id: int, *, now: datetime) -> tuple[list[Delivery], list[Delivery], list[Delivery]]:
    """The messages that are queued and due, in order; those being sent; and those of the first that must not go, because their mailbox
    complained. Locks all of them: nobody cancels them until this transaction ends."""
    queued = and_(col(Delivery.state) == DeliveryState.QUEUED, col(Delivery.send_at) <= now)
    mine = (Delivery.handoff_id == handoff_id, or_(queued, col(Delivery.state) == DeliveryState.SENDING))
    session.flush()
    query = select(Delivery, mail_findings.is_closed()).where(*mine)
    query = query.order_by(col(Delivery.id)).with_for_update(of=Delivery)
    rows = list(session.exec(query.execution_options(populate_existing=True)))
    queued_rows = [(row, closed) for row, closed in rows if row.state == DeliveryState.QUEUED]
    sending = [row for row, _ in rows if row.state == DeliveryState.SENDING]
    return [row for row, closed in queued_rows if not closed], sending, [row for row, closed in queued_rows if closed]


def personal_query(now: datetime) -> Any:
    """A query for the ids of personal messages that are queued and due, in order."""
    queued = (col(Delivery.handoff_id).is_(None), Delivery.state == DeliveryState.QUEUED, col(Delivery.send_at) <= now)
    return select(Delivery.id).where(*queued).order_by(col(Delivery.id))


def due_personal(session: Session, *, now: datetime, limit: int, only: MessageKind | None = None) -> list[int]:
    """The ids of personal messages that are queued and due, in order. only: of this message alone."""
    query = personal_query(now) if only is None else personal_query(now).where(Delivery.message == only)
    return list(session.exec(query.limit(limit)))


def claim(session: Session, delivery_id: int, *, real: datetime | None = None) -> bool:
    """Marks a queued row as being sent; False when somebody else did, or it was cancelled. real: the real time, for a personal message:
    nobody holds a lease on it, so the age of the row shows that its process has died."""
    claimed = session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.state) == DeliveryState.QUEUED)
        .values(state=DeliveryState.SENDING.value, tries=col(Delivery.tries) + 1, claimed_at=real)
    )
    return bool(claimed.rowcount)  # type: ignore[attr-defined]


def claim_all(session: Session, ids: Sequence[int]) -> None:
    """Marks rows that this transaction has locked as being sent."""
    if ids:
        sending = {"state": DeliveryState.SENDING.value, "tries": col(Delivery.tries) + 1}
        session.execute(update(Delivery).where(col(Delivery.id).in_(ids)).values(**sending).execution_options(synchronize_session=False))


def write_together(session: Session, rows: Collection[Delivery]) -> None:
    """Writes this transaction's changes to these rows in one statement."""
    columns = Delivery.__table__.c  # type: ignore[attr-defined]
    names = [column.name for column in columns]
    changed = {name for row in rows for name in names if get_history(row, name).has_changes()}
    if not changed:
        return

    def of_each(name: str) -> ColumnElement[Any]:
        return case({row.id: literal(getattr(row, name), columns[name].type) for row in rows}, value=col(Delivery.id))

    with session.no_autoflush:
        query = update(Delivery).where(col(Delivery.id).in_([row.id for row in rows]))
        session.execute(query.values({name: of_each(name) for name in changed}).execution_options(synchronize_session=False))
    for row in rows:
        for name in changed:
            set_committed_value(row, name, getattr(row, name))


def drop(session: Session, delivery_id: int) -> None:
    """Cancels one message that nobody has begun to send."""
    session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery_id, col(Delivery.state) == DeliveryState.QUEUED)
        .values(state=DeliveryState.CANCELLED.value)
    )


def keep_records(session: Session, rows: Sequence[Delivery]) -> list[Delivery]:
    """Cancels these queued messages of a lead whom nobody may contact. Only the CRM's status stays: it has no reader.

    Every message passes here in the transaction that claims it, so none goes out after the opt-out.
    """
    for row in (one for one in rows if one.message != "status"):
        row.state = DeliveryState.CANCELLED
        session.add(row)
    return [one for one in rows if one.message == "status"]


def note_speech(session: Session, handoff: Handoff, due: bool) -> None:
    """Tells the attempt that holds the handoff whether a message is still queued and due."""
    if mine := held.of(session, handoff.id):
        mine.speech = due


def abandon_half_sent(session: Session, handoff: Handoff, *, now: datetime, rows: Sequence[Delivery] | None = None) -> int:
    """Marks the rows that an attempt was sending when it died: nobody knows whether they arrived, so they are never sent again.

    rows: the rows, where the caller has them already; else all of this handoff.
    """
    if rows is None:
        query = select(Delivery).where(Delivery.handoff_id == handoff.id, Delivery.state == DeliveryState.SENDING)
        rows = session.exec(query).all()
    for row in rows:
        row.state, row.error = DeliveryState.UNKNOWN, DIED
        session.add(row)
        trail.record(session, "delivery-unknown", now=now, handoff=handoff, channel=row.channel, message=row.message)
    return len(rows)


def died_with(session: Session, assignment_id: str) -> list[Delivery]:
    """The messages about this assignment that an attempt was sending when it died, in order."""
    query = select(Delivery).where(Delivery.assignment_id == assignment_id, Delivery.message == "assigned", Delivery.error == DIED)
    return list(session.exec(query.where(Delivery.state == DeliveryState.UNKNOWN).order_by(col(Delivery.id))))


def abandon_personal(session: Session, *, claimed_before: datetime, now: datetime, limit: int = 20) -> int:
    """Gives up personal messages whose process died while sending, by their age in real time: they are never sent again. Up to `limit`;
    returns how many."""
    rows = session.exec(select(Delivery).where(col(Delivery.id).in_(stale_personal_query(claimed_before).limit(limit)))).all()
    for row in rows:
        outcome_unknown(session, row, None, error="its process died while it was being sent", now=now)
    return len(rows)


def has_stale_personal(session: Session, *, claimed_before: datetime) -> bool:
    """Whether there is a personal message that `abandon_personal` would give up."""
    return session.exec(stale_personal_query(claimed_before).limit(1)).first() is not None


def stale_personal_query(claimed_before: datetime) -> Any:
    """A query for the ids of the personal messages that `abandon_personal` gives up, in order."""
    being_sent = (col(Delivery.handoff_id).is_(None), Delivery.state == DeliveryState.SENDING)
    return select(Delivery.id).where(*being_sent, col(Delivery.claimed_at) < claimed_before).order_by(col(Delivery.id))


def succeeded(
    session: Session,
    row: Delivery,
    handoff: Handoff | None,
    *,
    proof: str,
    now: datetime,
    may_bounce_for: timedelta = timedelta(0),
    unread: bool = False,
) -> None:
    """Records that the channel took the message, with its proof. may_bounce_for: how long it may still come back; not arrived until then.
    unread: nobody reads this channel here.

    Changes nothing where the message has come back already, or nobody waits for the outcome any more.
    """
    if row.state not in (DeliveryState.SENDING, DeliveryState.UNKNOWN):
        return
    row.state = DeliveryState.SENT if may_bounce_for else DeliveryState.CONFIRMED
    row.confirm_at = now + may_bounce_for if may_bounce_for else None
    row.proof, row.sent_at, row.error, row.unread = proof[:200], now, "", unread
    session.add(row)
    trail.record(
        session,
        "sent" if may_bounce_for else "delivered",
        now=now,
        handoff=handoff,
        actor=f"channel:{row.channel}",
        message=row.message,
        to=row.person,
        channel=row.channel,
        delivery_id=row.id,
        proof=trail_lines.of_proof(row.proof),
        counts_from=trail_lines.instant(row.confirm_at) if row.confirm_at else "",
    )


def failed(
    session: Session,
    row: Delivery,
    handoff: Handoff | None,
    *,
    error: str,
    permanent: bool,
    now: datetime,
    retry_after_seconds: float | None = None,
) -> None:
    """Records that the channel did not take the message. A passing fault is tried again later, a few times; a permanent one is not.

    retry_after_seconds: the channel rests or limits for this long, which does not count as a failed try. Changes nothing where nobody waits
    for the outcome any more.
    """
    if row.state not in (DeliveryState.QUEUED, DeliveryState.SENDING):
        return
    row.error, row.permanent, row.failed_at = error[:500], permanent, now
    rest = None if permanent else _rest(retry_after_seconds)
    retry = rest is not None or (not permanent and row.tries <= len(BACK_OFF_MINUTES))
    row.state = DeliveryState.QUEUED if retry else DeliveryState.FAILED
    if retry:
        row.send_at = now + (rest or timedelta(minutes=BACK_OFF_MINUTES[row.tries - 1]))
        key = f"speak:{row.key}:{row.tries}" if rest is None else f"speak:{row.key}:{row.send_at.isoformat()}"
        row.tries -= rest is not None
        if handoff:
            wakes.add(session, handoff.id, "speak", key=key, not_before=row.send_at)
    session.add(row)
    trail.record(
        session, "not-delivered", now=now, handoff=handoff, channel=row.channel, message=row.message, to=row.person, permanent=permanent
    )


def _rest(seconds: float | None) -> timedelta | None:
    """How long the channel rests at its own request; None where it named no usable time."""
    if seconds is None or not math.isfinite(seconds):
        return None
    return min(max(timedelta(seconds=min(seconds, 1e6)), SHORTEST_REST), LONGEST_REST)


def outcome_unknown(session: Session, row: Delivery, handoff: Handoff | None, *, error: str, now: datetime) -> None:
    """Records that nobody knows whether the channel took the message. The message is never sent again under its key."""
    if row.state != DeliveryState.SENDING:
        return
    row.state, row.error, row.failed_at = DeliveryState.UNKNOWN, error[:500], now
    session.add(row)
    trail.record(session, "delivery-unknown", now=now, handoff=handoff, channel=row.channel, message=row.message)


def cancel(session: Session, *, answer_id: int) -> None:
    """Cancels the queued messages of an answer that was undone."""
    session.execute(
        update(Delivery)
        .where(col(Delivery.answer_id) == answer_id, col(Delivery.state) == DeliveryState.QUEUED)
        .values(state=DeliveryState.CANCELLED.value)
    )


#: Messages about what has happened: they stay true when the handoff ends.
STILL_TRUE: tuple[MessageKind, ...] = ("withdrawn", "feedback", "attached")


def call_off(session: Session, handoff_id: int) -> None:
    """Cancels the queued messages of an ended handoff, except those that an answer caused and those about the past."""
    session.execute(
        update(Delivery)
        .where(
            col(Delivery.handoff_id) == handoff_id,
            col(Delivery.state) == DeliveryState.QUEUED,
            col(Delivery.answer_id).is_(None),
            col(Delivery.message).not_in(STILL_TRUE),
        )
        .values(state=DeliveryState.CANCELLED.value)
        .execution_options(synchronize_session=False)
    )


def call_off_to(session: Session, assignment_id: str, persons: Collection[str]) -> None:
    """Cancels the queued messages about this assignment to these people."""
    about = select(Delivery.id).where(Delivery.assignment_id == assignment_id, Delivery.message == "assigned")
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_(about), col(Delivery.person).in_(persons), col(Delivery.state) == DeliveryState.QUEUED)
        .values(state=DeliveryState.CANCELLED.value)
        .execution_options(synchronize_session=False)
    )


_UNHEARD = (DeliveryState.QUEUED, DeliveryState.CANCELLED, DeliveryState.FAILED, DeliveryState.BOUNCED)


def reached_with(session: Session, assignment_id: str) -> set[str]:
    """The people who may have received a message about this assignment."""
    about = (Delivery.assignment_id == assignment_id, Delivery.message == "assigned", col(Delivery.state).not_in(_UNHEARD))
    return set(session.exec(select(Delivery.person).where(*about)))


def may_have_arrived(session: Session, assignment_id: str) -> bool:
    """Whether the rep of this assignment may have received the message about it."""
    query = select(Delivery.id).where(
        Delivery.assignment_id == assignment_id, Delivery.message == "assigned", col(Delivery.state).not_in(_UNHEARD)
    )
    return session.exec(query.limit(1)).first() is not None


def proven_channels(session: Session, assignment_id: str) -> set[ChannelName]:
    """The channels on which the message about this assignment provably arrived."""
    rows: Iterable[Any] = session.exec(
        select(Delivery.channel).where(
            Delivery.assignment_id == assignment_id, col(Delivery.state).in_(PROVEN), Delivery.message == "assigned"
        )
    )
    return set(rows)


def of_handoff(session: Session, handoff_id: int) -> list[Delivery]:
    """All deliveries of a handoff in order."""
    return list(session.exec(select(Delivery).where(Delivery.handoff_id == handoff_id).order_by(col(Delivery.id))))
