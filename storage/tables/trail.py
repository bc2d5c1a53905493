"""The trail: what happened, the chain over it, and what people wrote."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Text, false
from sqlmodel import AutoString, Field, SQLModel

from agreements.lifecycle import Stage
from agreements.words import EventKind, NoWord
from storage.tables.base import Word, index_where, instant, mapping, new_id, row_id


class PersonalText(SQLModel, table=True):
    """What somebody wrote, and the salt of its digest; the trail's chain stays whole when the row is erased."""

    __tablename__ = "personal_texts"
    __table_args__ = ({"sqlite_autoincrement": True},)
    id: int = row_id()
    lead_id: int | None = Field(default=None, index=True)
    salt: str = Field(default_factory=new_id)
    text: str = Field(sa_column=Column(Text, nullable=False))


class Event(SQLModel, table=True):
    """A line of the trail: codes and a salted digest, no personal text.

    mark: shows that a process with the trail's key wrote the event; empty for events that are older than marks.
    """

    __tablename__ = "events"
    __table_args__ = (index_where("events_to_seal", "id", where="seal_id IS NULL"), {"sqlite_autoincrement": True})
    id: int = row_id()
    at: datetime = instant(index=True)
    recorded_at: datetime = instant()
    kind: Word[EventKind] = Field(index=True, sa_type=AutoString)
    lead_id: int | None = Field(default=None, index=True)
    handoff_id: int | None = Field(default=None, index=True)
    stage: Word[Stage | NoWord] = ""
    actor: str = ""
    data: dict[str, Any] = mapping()
    text_id: int | None = None
    text_digest: str = ""
    seal_id: int | None = Field(default=None, index=True)
    mark: str = Field(default="", sa_column_kwargs={"server_default": ""})


class Seal(SQLModel, table=True):
    """A batch of events under one link of the hash chain.

    format: how its digest was made, see trail_lines.py. total: count of events sealed up to the last of this batch. first_id, last_id:
    numbers of its first and last event; content: digest of its events. pruned: its events were deleted as agreed. In format 1 first_id,
    last_id and content are empty.
    """

    __tablename__ = "seals"
    __table_args__ = (index_where("seals_to_prune", "id", where="pruned IS false", on_sqlite="pruned IS 0"),)
    id: int = row_id()
    events: int
    previous: str
    digest: str
    sealed_at: datetime = instant()
    format: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    total: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    first_id: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    last_id: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    content: str = Field(default="", sa_column_kwargs={"server_default": ""})
    pruned: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
