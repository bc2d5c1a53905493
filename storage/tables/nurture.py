"""Enrolments: whether a nurtured lead is in its track at the marketing automation."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from sqlmodel import Field, SQLModel

from storage.tables.base import Word, index_where, instant, row_id

#: What Baton wants of the marketing automation.
Wanted = Literal["in", "out"]


class EnrolmentState(StrEnum):
    """What became of that: not told yet, told and not confirmed, confirmed, refused by the automation, or given up because the person
    refuses e-mail."""

    WAITING = "waiting"
    ASKED = "asked"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    NOT_ALLOWED = "not-allowed"


class Enrolment(SQLModel, table=True):
    """One handoff in nurture: the track where its lead belongs, and what the marketing automation said about it.

    turn: counts what is wanted anew; it is part of the key under which the automation is told. next_at: the next try or look at this
    row, None once nothing is open. due_at: when the confirmation is due. rung: how many people were told that it is late.
    tries: since what is wanted changed. proof: the automation's answer. error: why it was not told, in words without a person.
    """

    __tablename__ = "enrolments"
    __table_args__ = (index_where("enrolments_due", "next_at", where="next_at IS NOT NULL"),)
    id: int = row_id()
    handoff_id: int = Field(unique=True, foreign_key="handoffs.id")
    lead_id: int = Field(index=True, foreign_key="leads.id")
    track: str
    wanted: Word[Wanted] = "in"
    turn: int = 1
    state: Word[EnrolmentState] = EnrolmentState.WAITING
    since: datetime = instant()
    due_at: datetime | None = instant(nullable=True)
    next_at: datetime | None = instant(nullable=True)
    rung: int = 0
    tries: int = 0
    proof: str = ""
    error: str = ""
