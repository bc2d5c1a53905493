"""Handoffs: one pass of a lead through an agreement, its note, and who had it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index
from sqlmodel import AutoString, Field, SQLModel

from agreements.lifecycle import Stage
from agreements.words import Attempt, Ended, NoWord, StepName, TouchChannel, Via
from storage.tables.base import Word, index_where, instant, mapping, new_id, row_id


class Handoff(SQLModel, table=True):
    """One pass of a lead through an agreement: one flow run. A lead has at most one that has not ended.

    step: what an attempt does next while no wait is open. lease_until, retry_at: real time; all others are Baton's time. routed: the screen
    sent the lead past the score. brought_by: the rep who brought the lead in. account: what the CRM said of the company when the lead was
    screened. raised_at, raised_from: when a request of the lead raised its tier, and from which one. queue: the queue in which the lead
    waits, where the agreement releases its tier day by day. released_at: until when it was held, None if it never was, or still is.
    told_event: the number of the newest event that the run's log in Prefect tells.
    """

    __tablename__ = "handoffs"
    __table_args__ = (
        index_where("one_open_handoff", "lead_id", where="ended_at IS NULL", unique=True),
        index_where("handoffs_open", "id", where="ended_at IS NULL"),
        index_where("handoffs_by_stage", "stage", "rep", "created_at", "lead_id", where="ended_at IS NULL"),
        index_where("handoffs_leased", "lease_until", where="lease_until IS NOT NULL"),
        index_where("handoffs_held", "id", where="held IS true", on_sqlite="held IS 1"),
        Index("handoffs_of_rep", "rep", "stage"),
    )
    id: int = row_id()
    lead_id: int = Field(foreign_key="leads.id", index=True)
    previous_id: int | None = None
    agreement: str = ""
    version: int = 0
    hash: str = ""
    tier: str = "normal"
    stage: Word[Stage] = Field(default=Stage.INQUIRY.value, index=True, sa_type=AutoString)
    step: Word[StepName | NoWord] = "screen"
    owner: str = "operator"
    rep: str = ""
    wanted_rep: str = ""
    brought_by: str = ""
    routed: bool = False
    account: dict[str, Any] = mapping()
    queue: str = Field(default="", index=True)
    leg: int = 0
    run_no: int = 0
    told_event: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    flow_run_id: str = Field(default="", index=True)
    epoch: int = 0
    lease_by: str = ""
    lease_until: datetime | None = instant(nullable=True)
    failures: int = 0
    retry_at: datetime | None = instant(nullable=True)
    fit: int = 0
    engagement: int = 0
    score: int = 0
    fast_lane: bool = False
    raised_at: datetime | None = instant(nullable=True)
    raised_from: str = ""
    climbed: dict[str, Any] = mapping()
    outcome: Word[Stage | NoWord] = ""
    reason: str = ""
    track: str = ""
    revisits: int = 0
    held: bool = False
    released_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant(index=True)
    mql_at: datetime | None = instant(nullable=True)
    first_assigned_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)


class HandoffNote(SQLModel, table=True):
    """Why a lead is qualified and ready to buy, written down before it is assigned. Holds no personal data."""

    __tablename__ = "handoff_notes"
    handoff_id: int = Field(foreign_key="handoffs.id", primary_key=True)
    content: dict[str, Any] = mapping()
    complete: bool = False
    written_at: datetime = instant()


class Assignment(SQLModel, table=True):
    """A lead given to one rep, with its clock. The rep's link signs the assignment's id.

    rep: SEVERAL of agreements/routing.py while several reps are asked and none has accepted (see Offer).
    pool: in which it was the rep's turn, empty for a lead that was nobody's turn. shared_by: whose turn it could have been, by weight.
    credited: the rep got that turn back.
    """

    __tablename__ = "assignments"
    __table_args__ = (
        Index("assignments_of_rep", "rep", "assigned_at"),
        index_where("assignments_with_rep", "rep", "assigned_at", where="ended_at IS NULL"),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    lead_id: int = Field(index=True)
    leg: int = 0
    number: int = 1
    rep: str
    team: str = ""
    tier: str = ""
    cause: str = ""
    assigned_at: datetime = instant(index=True)
    proven_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    ended_because: Word[Ended | NoWord] = ""
    pool: str = ""
    shared_by: dict[str, int] = mapping()
    credited: bool = False


class Offer(SQLModel, table=True):
    """A lead that one of several reps may have: the first of them to accept gets the assignment. The rep's link signs the offer's id.

    number: the place in the order in which the reps were asked, from 1. weight: of the rep, for the turn of the one who accepts.
    """

    __tablename__ = "offers"
    __table_args__ = (Index("offers_of_day", "offered_at"), index_where("offers_open", "rep", where="ended_at IS NULL"))
    id: str = Field(default_factory=new_id, primary_key=True)
    assignment_id: str = Field(foreign_key="assignments.id", index=True)
    handoff_id: int
    number: int
    rep: str
    weight: int = 1
    offered_at: datetime = instant()
    ended_at: datetime | None = instant(nullable=True)
    ended_because: Word[Ended | NoWord] = ""


class TurnSheet(SQLModel, table=True):
    """The turns of one pool on one day: by rep, what was due to the rep, in parts of a turn, and how many leads were the rep's turn
    or were credited back. balance, last, number: the turns at the end of the day so far, see agreements/turns.py."""

    __tablename__ = "turn_sheets"
    pool: str = Field(primary_key=True)
    day: date = Field(primary_key=True)
    balance: dict[str, int] = mapping()
    last: dict[str, int] = mapping()
    number: int = 0
    due: dict[str, int] = mapping()
    given: dict[str, int] = mapping()
    credited: dict[str, int] = mapping()


class Touch(SQLModel, table=True):
    """A human attempt to reach the lead. channel: how (phone, email …), empty where nobody said."""

    __tablename__ = "touches"
    id: int = row_id()
    key: str = Field(unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    lead_id: int = Field(index=True)
    by: str
    via: Word[Via]
    kind: Word[Attempt]
    channel: Word[TouchChannel | NoWord] = ""
    at: datetime = instant()
