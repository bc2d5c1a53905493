"""What the house keeps: claims of processes, the time, how far something was read."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.base import instant, row_id


class Claim(SQLModel, table=True):
    """Something that one process at a time does. since, until: real time; when it is over, the next one may take it."""

    __tablename__ = "claims"
    name: str = Field(primary_key=True)
    token: str
    by: str
    about: str = ""
    since: datetime = instant()
    until: datetime = instant()


class ClockReading(SQLModel, table=True):
    """A leap of Baton's time: from this real instant on it runs so many seconds ahead of real time."""

    __tablename__ = "clock_readings"
    id: int = row_id()
    real_at: datetime = instant(index=True)
    ahead_seconds: float = 0.0


class Bookmark(SQLModel, table=True):
    """How far something was read, the CRM's changes say."""

    __tablename__ = "bookmarks"
    name: str = Field(primary_key=True)
    value: str = ""
