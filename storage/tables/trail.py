"""The trail: what happened, the chain over it, and what people wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from storage.tables.base import index_where, instant, mapping, new_id


class PersonalText(SQLModel, table=True):
    """What somebody wrote, and the salt of its digest; erasing the row leaves the trail's chain whole."""

    __tablename__ = "personal_texts"
    id: int | None = Field(default=None, primary_key=True)
    lead_id: int | None = Field(default=None, index=True)
    salt: str = Field(default_factory=new_id)
    text: str = Field(sa_column=Column(Text, nullable=False))


class Event(SQLModel, table=True):
    """A line of the trail: codes and a salted digest, no personal text."""

    __tablename__ = "events"
    __table_args__ = (index_where("events_to_seal", "id", where="seal_id IS NULL"),)
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = instant(index=True)
    recorded_at: datetime = instant()
    kind: str = Field(index=True)
    lead_id: int | None = Field(default=None, index=True)
    handoff_id: int | None = Field(default=None, index=True)
    stage: str = ""
    actor: str = ""
    data: dict[str, Any] = mapping()
    text_id: int | None = None
    text_digest: str = ""
    seal_id: int | None = Field(default=None, index=True)


class Seal(SQLModel, table=True):
    """A batch of events under one link of the hash chain."""

    __tablename__ = "seals"
    id: int | None = Field(default=None, primary_key=True)
    events: int
    previous: str
    digest: str
    sealed_at: datetime = instant()
