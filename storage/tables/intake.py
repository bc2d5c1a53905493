"""Intake doors: payloads that could not be taken in yet, counts by door and day, and deliveries that were seen already."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Date, Index, Text
from sqlmodel import Field, SQLModel

from storage.tables.base import index_where, instant, row_id


class KeptPayload(SQLModel, table=True):
    """A payload that was signed rightly and is not taken in yet. The row goes when the lead is in.

    key: of the door and what it sent, so that the same payload is kept once. content: the body; base64 where is_base64, because it is
    no text. reason: why it was not taken. at: when it came. next_at: when the lead's values are fetched, None where a person has to
    look; tries: how often that failed.
    """

    __tablename__ = "kept_payloads"
    __table_args__ = (index_where("kept_payloads_to_fetch", "next_at", where="next_at IS NOT NULL"),)
    id: int = row_id()
    key: str = Field(unique=True)
    door: str = Field(index=True)
    content: str = Field(sa_column=Column(Text, nullable=False))
    content_type: str = ""
    is_base64: bool = False
    reason: str = ""
    at: datetime = instant(index=True)
    next_at: datetime | None = instant(nullable=True)
    tries: int = 0


class KeptAddress(SQLModel, table=True):
    """An e-mail address in a kept payload, by which an erasure finds it. address: as agreements.lead.mail_key writes it."""

    __tablename__ = "kept_addresses"
    __table_args__ = (Index("kept_addresses_by_address", "address"),)
    payload_id: int = Field(foreign_key="kept_payloads.id", primary_key=True)
    address: str = Field(primary_key=True)


class DoorDay(SQLModel, table=True):
    """How many deliveries and leads came through a door on one day, in UTC.

    taken: leads that went in; known: repetitions; queued: whose values are fetched first; kept: not taken yet; passed_over: what the map
    is not about; refused: deliveries without a right signature or key. last_at: the last one that was not refused.
    """

    __tablename__ = "door_days"
    door: str = Field(primary_key=True)
    day: date = Field(sa_column=Column(Date, primary_key=True))
    taken: int = 0
    known: int = 0
    queued: int = 0
    kept: int = 0
    passed_over: int = 0
    refused: int = 0
    last_at: datetime | None = instant(nullable=True)


class SeenDelivery(SQLModel, table=True):
    """A delivery that was dealt with: the same signature again changes nothing. mark: a hash of the signature."""

    __tablename__ = "seen_deliveries"
    mark: str = Field(primary_key=True)
    at: datetime = instant(index=True)
