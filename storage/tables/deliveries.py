"""Deliveries: every message to one person over one channel, and what waits for the morning digest."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from agreements.words import Action, Attempt, ChannelName, MailFindingKind, MailSource, MessageKind, Outcome
from storage.tables.base import Word, index_where, instant, mapping, row_id


class DeliveryState(StrEnum):
    """How far a message got. Unknown: the process died while sending it; the message is never sent again under its key."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Delivery(SQLModel, table=True):
    """One message to one person over one channel. The row exists before the message is sent, and the message carries its key.

    handoff_id: None for personal messages ("post"), which the clock sends; the handoff's own attempts send all others. confirm_at: when a
    sent message counts as arrived, if it has not bounced. claimed_at: real time. failed_at: when a try failed last.
    unread: sent over a channel that nobody reads.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("deliveries_of_handoff", "handoff_id", "state", "send_at"),
        Index("deliveries_to_confirm", "state", "confirm_at"),
        index_where("deliveries_sent", "channel", "sent_at", where="sent_at IS NOT NULL"),
        index_where("deliveries_failed", "failed_at", where="failed_at IS NOT NULL"),
    )
    id: int = row_id()
    key: str = Field(unique=True)
    handoff_id: int | None = Field(default=None, foreign_key="handoffs.id")
    assignment_id: str = Field(default="", index=True)
    answer_id: int | None = None
    channel: Word[ChannelName]
    message: Word[MessageKind]
    person: str
    context: dict[str, Any] = mapping()
    state: Word[DeliveryState] = DeliveryState.QUEUED
    send_at: datetime = instant()
    claimed_at: datetime | None = instant(nullable=True)
    sent_at: datetime | None = instant(nullable=True)
    confirm_at: datetime | None = instant(nullable=True)
    failed_at: datetime | None = instant(nullable=True)
    tries: int = 0
    error: str = ""
    permanent: bool = False
    proof: str = ""
    unread: bool = False


class MailFinding(SQLModel, table=True):
    """Mail about a delivery that somebody has to look at: a complaint, or mail to the return path that nothing explains. Its text is not
    kept.

    key: names this mail for ever. source: who reported it. settled_at: when somebody had looked at it, None until then; until then a
    complaint keeps e-mail from the person.
    """

    __tablename__ = "mail_findings"
    __table_args__ = (index_where("mail_findings_open", "person", where="settled_at IS NULL"),)
    id: int = row_id()
    key: str = Field(unique=True)
    delivery_id: int = Field(index=True)
    person: str
    handoff_id: int | None = None
    kind: Word[MailFindingKind]
    source: Word[MailSource]
    at: datetime = instant()
    settled_at: datetime | None = instant(nullable=True)
    settled_by: str = ""


#: What an item of a digest is: something that a clock does, a missed deadline, an answer of somebody else, or what became of a lead.
ItemKind = Literal[Action, Attempt, "missed", "answered", "activity", Outcome]


class DigestItem(SQLModel, table=True):
    """Something that waits for its person's morning digest instead of interrupting: a reminder, a warning, a check-in.

    what: one sentence of codes and names of people, nothing personal about the lead. digest_id: the digest that contains it.
    at: from when it may be told. person: MARKETING of storage/outcomes.py for what whoever speaks for marketing that morning reads.
    """

    __tablename__ = "digest_items"
    __table_args__ = (Index("digest_items_of_person", "person", "at"),)
    id: int = row_id()
    key: str = Field(unique=True)
    person: str
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    wait_id: str = ""
    kind: Word[ItemKind]
    what: str = ""
    at: datetime = instant()
    digest_id: int | None = Field(default=None, index=True)


class Digest(SQLModel, table=True):
    """One person's digest for one working day; its key says whose and which day. made_at: when its rows were put together."""

    __tablename__ = "digests"
    id: int = row_id()
    key: str = Field(unique=True)
    person: str = Field(index=True)
    made_at: datetime = instant(index=True)
