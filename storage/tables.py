"""The tables. Table classes are written by the modules beside this one and never used as a door: they do not validate."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import JSON, Column, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from storage.database import UtcDateTime


def new_id() -> str:
    """A random name of 122 bits that is never used again."""
    return uuid4().hex


def _at(*, index: bool = False, nullable: bool = False) -> Any:
    return Field(sa_column=Column(UtcDateTime, index=index, nullable=nullable), default=None)


def _json() -> Any:
    return Field(sa_column=Column(JSON, nullable=False), default_factory=dict)


class Lead(SQLModel, table=True):
    """A person, and the company, known to us. Everything personal about them stands here, in lead_values or in personal_texts.

    source: who sent what it did last. linked_to: the same person's lead at the company where they were before.
    """

    __tablename__ = "leads"
    id: int | None = Field(default=None, primary_key=True)
    mail_key: str = Field(default="", index=True)
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    company: str = Field(default="", index=True)
    job_title: str = ""
    country: str = ""
    entry_channel: str = "web"
    source: str = ""
    campaign: str = ""
    values: dict[str, Any] = _json()
    requested_time: datetime | None = _at(nullable=True)
    do_not_contact: bool = False
    merged_into: int | None = Field(default=None, foreign_key="leads.id")
    linked_to: int | None = Field(default=None, foreign_key="leads.id", index=True)
    last_touch_at: datetime | None = _at(nullable=True)
    created_at: datetime = _at()


class LeadSource(SQLModel, table=True):
    """Under which ids others know a lead: one source id names one lead for ever."""

    __tablename__ = "lead_sources"
    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", index=True)


class LeadValues(SQLModel, table=True):
    """What a lead told of itself from this instant on, as facts by name; append-only, and erased with the lead."""

    __tablename__ = "lead_values"
    id: int | None = Field(default=None, primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", index=True)
    at: datetime = _at()
    values: dict[str, Any] = _json()


class Activity(SQLModel, table=True):
    """Something the lead did, from outside. brought_by: the rep who brought it in, empty for none."""

    __tablename__ = "activities"
    __table_args__ = (UniqueConstraint("lead_id", "key"),)
    id: int | None = Field(default=None, primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", index=True)
    key: str
    kind: str
    at: datetime = _at(index=True)
    path: str = ""
    campaign: str = ""
    text_id: int | None = None
    brought_by: str = ""
    received_at: datetime = _at()


class Handoff(SQLModel, table=True):
    """One pass of a lead through an agreement: one flow run.

    step: what an attempt does next while no wait is open. lease_until, retry_at: real time; all else is Baton's time.
    routed: the screen sent it past the score. brought_by: the rep who brought the lead in. account: what the CRM said of the
    company when the lead was screened. queue: in which line it waits for its turn, where its tier is released day by day.
    """

    __tablename__ = "handoffs"
    id: int | None = Field(default=None, primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", index=True)
    previous_id: int | None = None
    agreement: str = ""
    version: int = 0
    hash: str = ""
    tier: str = "normal"
    stage: str = Field(default="inquiry", index=True)
    step: str = "screen"
    owner: str = "operator"
    rep: str = ""
    wanted_rep: str = ""
    brought_by: str = ""
    routed: bool = False
    account: dict[str, Any] = _json()
    queue: str = Field(default="", index=True)
    leg: int = 0
    run_no: int = 0
    flow_run_id: str = Field(default="", index=True)
    epoch: int = 0
    lease_by: str = ""
    lease_until: datetime | None = _at(nullable=True)
    failures: int = 0
    retry_at: datetime | None = _at(nullable=True)
    fit: int = 0
    engagement: int = 0
    score: int = 0
    fast_lane: bool = False
    climbed: dict[str, Any] = _json()
    outcome: str = ""
    reason: str = ""
    track: str = ""
    revisits: int = 0
    held: bool = False
    created_at: datetime = _at(index=True)
    mql_at: datetime | None = _at(nullable=True)
    first_assigned_at: datetime | None = _at(nullable=True)
    ended_at: datetime | None = _at(nullable=True)


class HandoffNote(SQLModel, table=True):
    """Why a lead is qualified and ready to buy, written down before it is assigned. Holds no personal data."""

    __tablename__ = "handoff_notes"
    handoff_id: int = Field(foreign_key="handoffs.id", primary_key=True)
    content: dict[str, Any] = _json()
    complete: bool = False
    written_at: datetime = _at()


class Assignment(SQLModel, table=True):
    """A lead given to one rep, with its clock. Its id is what the rep's link signs."""

    __tablename__ = "assignments"
    id: str = Field(default_factory=new_id, primary_key=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    lead_id: int = Field(index=True)
    leg: int = 0
    number: int = 1
    rep: str = Field(index=True)
    team: str = ""
    tier: str = ""
    cause: str = ""
    assigned_at: datetime = _at(index=True)
    proven_at: datetime | None = _at(nullable=True)
    ended_at: datetime | None = _at(nullable=True)
    ended_because: str = ""


class Wait(SQLModel, table=True):
    """Something that somebody owes by a due time. At most one is open per handoff.

    due_at: when the next thing happens if nobody answers; promised_at: by when it was agreed. next_at: the next nudge or due_at.
    parked_key: the pause key under which the run is parked, empty before it ever was. remark: why a form answer was refused.
    """

    __tablename__ = "waits"
    __table_args__ = (
        Index(
            "one_open_wait",
            "handoff_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(
            "waits_to_look_at",
            "next_at",
            sqlite_where=text("closed_at IS NULL AND answer_id IS NULL"),
            postgresql_where=text("closed_at IS NULL AND answer_id IS NULL"),
        ),
    )
    id: str = Field(default_factory=new_id, primary_key=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    assignment_id: str = ""
    kind: str
    about: str = ""
    holder: str = ""
    opened_at: datetime = _at()
    due_at: datetime = _at()
    promised_at: datetime = _at()
    next_at: datetime = _at()
    nudges: list[Any] = Field(sa_column=Column(JSON, nullable=False), default_factory=list)
    rung: int = 0
    parks: int = 0
    parked_key: str = ""
    remark: str = ""
    answer_id: int | None = None
    closed_at: datetime | None = _at(nullable=True)
    closed_because: str = ""


class AnswerState(StrEnum):
    """What became of an answer."""

    COUNTED = "counted"
    HELD = "held"
    UNDONE = "undone"
    LATE = "late"


class Answer(SQLModel, table=True):
    """What somebody answered to a wait; append-only but for its state. answered_at is judged, effective_at lets it act outward."""

    __tablename__ = "answers"
    id: int | None = Field(default=None, primary_key=True)
    wait_id: str = Field(foreign_key="waits.id", index=True)
    handoff_id: int = Field(index=True)
    kind: str
    by: str
    via: str
    data: dict[str, Any] = _json()
    text_id: int | None = None
    answered_at: datetime = _at()
    effective_at: datetime = _at()
    state: str = AnswerState.COUNTED


class Touch(SQLModel, table=True):
    """A human attempt to reach the lead. channel: by what (phone, email …), empty where nobody said."""

    __tablename__ = "touches"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    lead_id: int = Field(index=True)
    by: str
    via: str
    kind: str
    channel: str = ""
    at: datetime = _at()


class Wake(SQLModel, table=True):
    """The outbox: this handoff should move. Delivered by the clock only, again and again until an attempt has read it.

    not_before: Baton's time; created_at, delivered_at: real time.
    """

    __tablename__ = "wakes"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    kind: str
    not_before: datetime = _at(index=True)
    created_at: datetime = _at()
    delivered_at: datetime | None = _at(nullable=True)
    tries: int = 0


class DeliveryState(StrEnum):
    """How far a message came. Unknown: it was being sent when the process died; it is never sent again under its key."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Delivery(SQLModel, table=True):
    """One message to one person over one channel: the row exists before it is sent, under a key that goes along."""

    __tablename__ = "deliveries"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    assignment_id: str = Field(default="", index=True)
    answer_id: int | None = None
    channel: str
    message: str
    person: str
    context: dict[str, Any] = _json()
    state: str = Field(default=DeliveryState.QUEUED, index=True)
    send_at: datetime = _at(index=True)
    sent_at: datetime | None = _at(nullable=True)
    tries: int = 0
    error: str = ""
    permanent: bool = False
    proof: str = ""


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
    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _at(index=True)
    recorded_at: datetime = _at()
    kind: str = Field(index=True)
    lead_id: int | None = Field(default=None, index=True)
    handoff_id: int | None = Field(default=None, index=True)
    stage: str = ""
    actor: str = ""
    data: dict[str, Any] = _json()
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
    sealed_at: datetime = _at()


class AgreementVersion(SQLModel, table=True):
    """A published version: the text as it was signed. The deployed truth.

    holidays: by calendar the public holidays as they were known when it was published.
    """

    __tablename__ = "agreement_versions"
    name: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    hash: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    effective_at: datetime = _at()
    until: datetime | None = _at(nullable=True)
    published_at: datetime = _at()
    deployed_at: datetime | None = _at(nullable=True)
    closed: bool = False
    deployment_id: str = ""
    holidays: dict[str, Any] = _json()


class Signature(SQLModel, table=True):
    """One party's signature over the hash of a version. address: where the link was sent by which it was given."""

    __tablename__ = "signatures"
    __table_args__ = (UniqueConstraint("hash", "party"),)
    id: int | None = Field(default=None, primary_key=True)
    hash: str = Field(index=True)
    party: str
    name: str
    via: str
    address: str = ""
    signed_at: datetime = _at()


class SignatureRequest(SQLModel, table=True):
    """One person asked by e-mail to sign one version for one party: the row exists before the mail, under a key that goes along."""

    __tablename__ = "signature_requests"
    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(unique=True)
    hash: str = Field(index=True)
    party: str
    address: str
    state: str = DeliveryState.QUEUED
    error: str = ""
    proof: str = ""
    asked_at: datetime = _at()
    sent_at: datetime | None = _at(nullable=True)


class Claim(SQLModel, table=True):
    """Something that one process at a time does. since, until: real time; when it is over, the next one may take it."""

    __tablename__ = "claims"
    name: str = Field(primary_key=True)
    token: str
    by: str
    about: str = ""
    since: datetime = _at()
    until: datetime = _at()


class RosterSnapshot(SQLModel, table=True):
    """The people and teams as last loaded; the newest row counts."""

    __tablename__ = "rosters"
    id: int | None = Field(default=None, primary_key=True)
    hash: str
    text: str = Field(sa_column=Column(Text, nullable=False))
    loaded_at: datetime = _at()


class Suppression(SQLModel, table=True):
    """Whom nobody may contact: a mail key, a phone number or a domain."""

    __tablename__ = "suppressions"
    value: str = Field(primary_key=True)
    reason: str = ""
    since: datetime = _at()


class ApiKey(SQLModel, table=True):
    """A key for the intake API; only its hash is kept."""

    __tablename__ = "api_keys"
    hash: str = Field(primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = _at()
    revoked_at: datetime | None = _at(nullable=True)


class ClockReading(SQLModel, table=True):
    """A leap of Baton's time: from this real instant on it runs so many seconds ahead of real time."""

    __tablename__ = "clock_readings"
    id: int | None = Field(default=None, primary_key=True)
    real_at: datetime = _at(index=True)
    ahead_seconds: float = 0.0


class Bookmark(SQLModel, table=True):
    """How far something was read, the CRM's changes say."""

    __tablename__ = "bookmarks"
    name: str = Field(primary_key=True)
    value: str = ""
