"""Alarms, and the signs of life of the workers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from agreements.words import AlarmKind
from storage.tables.base import Word, index_where, instant, mapping, row_id


class Alarm(SQLModel, table=True):
    """Something that the operator must know. At most one alarm of a kind and subject is open.

    since: from when it is wrong. seen: how often it was found. began_at: when it counted as an alarm, None until it was seen often enough.
    telling: the key of the operator's message that is under way, empty once it has arrived or cannot arrive. told_by: the channel on which
    the last one arrived, empty for none. All instants are Baton's time, except `since` of what is about processes: real time.
    """

    __tablename__ = "alarms"
    __table_args__ = (
        index_where("one_open_alarm", "kind", "subject", where="ended_at IS NULL", unique=True),
        index_where("alarms_to_tell", "telling", where="telling <> ''"),
    )
    id: int = row_id()
    kind: Word[AlarmKind]
    subject: str = ""
    facts: dict[str, Any] = mapping()
    since: datetime = instant()
    seen: int = 1
    began_at: datetime | None = instant(nullable=True)
    ended_at: datetime | None = instant(nullable=True)
    telling: str = ""
    told_by: str = ""


class WorkerBeat(SQLModel, table=True):
    """A worker that lives. All instants are real time. ticked_at: when its clock last went through the deadlines.

    prefect_away_since: since when it cannot reach the Prefect server, None while it can.
    """

    __tablename__ = "worker_beats"
    by: str = Field(primary_key=True)
    beat_at: datetime = instant()
    ticked_at: datetime = instant()
    prefect_away_since: datetime | None = instant(nullable=True)
