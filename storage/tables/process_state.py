"""The state of Baton's processes: their claims, the time offset, how far each source was read."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.base import instant, row_id


class Claim(SQLModel, table=True):
    """Something that one process at a time does. since, until: real time; from `until` on another process may take it."""

    __tablename__ = "claims"
    name: str = Field(primary_key=True)
    token: str
    by: str
    about: str = ""
    since: datetime = instant()
    until: datetime = instant()


class ClockReading(SQLModel, table=True):
    """A leap of Baton's time: from this real instant on it runs this many seconds ahead of real time."""

    __tablename__ = "clock_readings"
    id: int = row_id()
    real_at: datetime = instant(index=True)
    ahead_seconds: float = 0.0


class Bookmark(SQLModel, table=True):
    """How far something was read, for example the CRM's changes."""

    __tablename__ = "bookmarks"
    name: str = Field(primary_key=True)
    value: str = ""
