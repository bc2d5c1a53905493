"""Reviews: those that were made by themselves, what marketing and sales decided in them, and the figures of the week so far."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from agreements.words import ReviewKind
from storage.tables.base import Word, instant, mapping, row_id


class ReviewDecision(SQLModel, table=True):
    """Something that was decided in a review of one agreement. text: what, without personal data; by: who sees to it, a name or an id.

    until: the day in the agreement's zone by which it is to be done, None for none. done_by: who said that it is done. proposal: that it
    is about, as agreements/review/followed.py describes it; empty for none.
    """

    __tablename__ = "review_decisions"
    id: int = row_id()
    agreement: str = Field(index=True)
    text: str = Field(sa_column=Column(Text, nullable=False))
    by: str = ""
    until: date | None = None
    decided_at: datetime = instant()
    done_at: datetime | None = instant(nullable=True)
    done_by: str = ""
    proposal: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False, server_default="{}"), default_factory=dict)


class KeptReview(SQLModel, table=True):
    """A review that was made when it was due, once for each agreement, kind and first day. first, last: its days, both included.

    first_sheet: what the mail about it says. report: its figures as JSON, page: as HTML, both compressed with zlib. All three are empty
    once the agreed time of the trail is over.
    """

    __tablename__ = "kept_reviews"
    __table_args__ = (UniqueConstraint("agreement", "kind", "first"),)
    id: int = row_id()
    agreement: str
    version: int
    kind: Word[ReviewKind]
    first: date
    last: date
    due_at: datetime = instant()
    made_at: datetime = instant()
    first_sheet: dict[str, Any] = mapping()
    report: bytes
    page: bytes


class WeekCount(SQLModel, table=True):
    """The figures of the week so far under one agreement, counted now and then and not for each reader.

    counted_at: when a process last began to count, in Baton's time. next_at: from when they are counted again. figures: as JSON, empty
    before the first count has ended.
    """

    __tablename__ = "week_counts"
    agreement: str = Field(primary_key=True)
    counted_at: datetime = instant()
    next_at: datetime = instant()
    figures: str = Field(sa_column=Column(Text, nullable=False))
