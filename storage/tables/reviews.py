"""Reviews: what marketing and sales decided in them."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Column, Text
from sqlmodel import Field, SQLModel

from storage.tables.base import instant, row_id


class ReviewDecision(SQLModel, table=True):
    """Something that was decided in a review of one agreement. text: what, without personal data; by: who sees to it, a name or an id.

    until: the day in the agreement's zone by which it is to be done, None for none. done_by: who said that it is done.
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
