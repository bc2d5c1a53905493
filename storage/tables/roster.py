"""The people: the roster as loaded, and the absences that stand beside it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from agreements.words import AbsenceSource
from storage.tables.base import Word, instant, new_id, row_id


class RosterSnapshot(SQLModel, table=True):
    """The people and teams as last loaded; the newest row counts."""

    __tablename__ = "rosters"
    id: int = row_id()
    hash: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    loaded_at: datetime = instant()


class Absence(SQLModel, table=True):
    """An absence of a person that stands beside the roster file. person, deputy: ids of the roster.

    source, source_id: where it comes from, and its name there. removed_at: from when it counts no more, as if it had never been.
    change: grows with each change of any absence; mark: a name for the state after this change, which no other database has.
    """

    __tablename__ = "absences"
    __table_args__ = (UniqueConstraint("person", "source", "source_id"),)
    id: int = row_id()
    person: str
    starts_at: datetime = instant()
    ends_at: datetime = instant(index=True)
    deputy: str = ""
    source: Word[AbsenceSource]
    source_id: str
    by: str = ""
    noted_at: datetime = instant()
    removed_at: datetime | None = instant(nullable=True)
    change: int = Field(index=True)
    mark: str = Field(default_factory=new_id)
