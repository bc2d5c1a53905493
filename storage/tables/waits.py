"""Waits: who has to answer what by when, what they answered, and what should move because of the answer."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from sqlalchemy import JSON, Column, Index
from sqlmodel import AutoString, Field, SQLModel

from agreements.words import About, AnswerKind, Closed, NoWord, Via, WaitKind
from storage.tables.base import Word, index_where, instant, mapping, new_id, row_id


class Wait(SQLModel, table=True):
    """A wait for an answer that somebody has to give by a due time. At most one is open per handoff.

    due_at: when the next thing happens if nobody answers; promised_at: the agreed time. next_at: the next nudge or due_at. parked_key: the
    pause key under which the run is parked, empty before it was ever parked. remark: why a form answer was refused.
    """

    __tablename__ = "waits"
    __table_args__ = (
        index_where("one_open_wait", "handoff_id", where="closed_at IS NULL", unique=True),
        index_where("waits_to_look_at", "next_at", where="closed_at IS NULL AND answer_id IS NULL"),
        index_where("waits_due", "due_at", "handoff_id", where="closed_at IS NULL AND answer_id IS NULL"),
        index_where("waits_of_holder", "holder", "due_at", where="closed_at IS NULL"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    assignment_id: str = Field(default="", index=True)
    kind: Word[WaitKind]
    about: Word[About] = Field(default="", sa_type=AutoString)
    holder: str = ""
    opened_at: datetime = instant()
    due_at: datetime = instant()
    promised_at: datetime = instant()
    next_at: datetime = instant()
    nudges: list[Any] = Field(sa_column=Column(JSON, nullable=False), default_factory=list)
    rung: int = 0
    parks: int = 0
    parked_key: str = ""
    remark: str = ""
    answer_id: int | None = None
    closed_at: datetime | None = instant(nullable=True)
    closed_because: Word[Closed | NoWord] = ""


class AnswerState(StrEnum):
    """The state of an answer. Held: the answer does not count until its visitor has typed the code from the message. Noted: it settles
    no wait. It was held and reported an attempt, which is now a touch; or one of several reps declined a lead while others are asked."""

    COUNTED = "counted"
    HELD = "held"
    NOTED = "noted"
    UNDONE = "undone"
    LATE = "late"


class Answer(SQLModel, table=True):
    """What somebody answered to a wait; append-only except for its state. answered_at decides the SLA; from effective_at it acts outward.

    device: hash of the browser in which it was given, empty where the answer came another way.
    """

    __tablename__ = "answers"
    __table_args__ = (
        Index("answers_of_kind", "kind", "effective_at"),
        index_where("answers_of_device", "device", where="device <> ''"),
        index_where("answers_held", "device", where="state = 'held'"),
    )
    id: int = row_id()
    wait_id: str = Field(foreign_key="waits.id", index=True)
    handoff_id: int = Field(index=True)
    kind: Word[AnswerKind]
    by: str
    via: Word[Via]
    data: dict[str, Any] = mapping()
    text_id: int | None = None
    answered_at: datetime = instant()
    effective_at: datetime = instant()
    state: Word[AnswerState] = AnswerState.COUNTED
    device: str = Field(default="", sa_column_kwargs={"server_default": ""})


#: Why a handoff should move.
#: capture: a lead begins that asked for nothing; request: one that asked for a demo; turn: a lead in line gets its turn.
#: effective: an answer can no longer be taken back; look: somebody may have answered in Prefect.
#: speak: a message is due; rung: a wait has something to say; again: an attempt failed.
WakeKind = Literal[
    "capture", "request", "turn", "answer", "effective", "undo", "bounce", "rescore", "speak", "rung", "look", "again", "revive",
    "stranded", "new-run", "withdrawn", "suppressed", "unstuck",
]  # fmt: skip


class Wake(SQLModel, table=True):
    """The outbox: this handoff should move. Only the clock delivers a wake, again and again until an attempt has read it.

    urgency: the lowest comes first, see wakes.Urgency. not_before: Baton's time; created_at, delivered_at: real time.
    """

    __tablename__ = "wakes"
    __table_args__ = (
        Index("wakes_by_urgency", "urgency", "not_before", "id"),
        index_where("wakes_delivered", "delivered_at", where="delivered_at IS NOT NULL"),
    )
    id: int = row_id()
    key: str = Field(unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    kind: Word[WakeKind]
    urgency: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    not_before: datetime = instant(index=True)
    created_at: datetime = instant()
    delivered_at: datetime | None = instant(nullable=True)
    tries: int = 0


#: How a dispute is decided. upheld: the rejection stands, also by silence.
GivenRuling = Literal["upheld", "overturned"]


class Dispute(SQLModel, table=True):
    """Marketing's objection to a rejection. A dispute runs beside the handoff, with a due time of its own.

    ruling: "" while open, then upheld (the rejection stands, also by silence) or overturned. decided_by: empty where nobody decided until
    due_at. again_id: the handoff in which the lead was assigned again.
    """

    __tablename__ = "disputes"
    __table_args__ = (
        Index("disputes_due", "ruling", "due_at"),
        index_where("disputes_assigned_again", "again_id", where="again_id IS NOT NULL"),
    )
    id: int = row_id()
    answer_id: int = Field(foreign_key="answers.id", unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    lead_id: int = Field(index=True)
    raised_by: str
    via: Word[Via]
    raised_at: datetime = instant()
    text_id: int | None = None
    holder: str
    due_at: datetime = instant()
    ruling: Word[GivenRuling | NoWord] = ""
    decided_by: str = ""
    decided_at: datetime | None = instant(nullable=True)
    ruling_text_id: int | None = None
    again_id: int | None = None
