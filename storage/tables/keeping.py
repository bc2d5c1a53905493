"""Keeping and deleting: who was erased, what is still to be deleted at Prefect, and what a person has agreed to."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import Word, index_where, instant, mapping, row_id


class Consent(SQLModel, table=True):
    """What a person was told or has agreed to, by channel and purpose. basis: the legal basis; source: where they were told.

    at: since when it holds, None where nobody said; told_at: when Baton received it.
    """

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("lead_id", "channel", "purpose", "basis", "source", "at"),)
    id: int = row_id()
    lead_id: int = Field(foreign_key="leads.id", index=True)
    channel: str
    purpose: str
    basis: str
    source: str = ""
    at: datetime | None = instant(nullable=True)
    told_at: datetime = instant()


class Erasure(SQLModel, table=True):
    """A person who was erased at their wish. lead_id: the lead that this person's other leads were merged into.

    deleted: count of deleted rows by kind. cleared_at: when Baton's database was done; done_at: when everything was.
    """

    __tablename__ = "erasures"
    __table_args__ = (index_where("erasures_under_way", "id", where="done_at IS NULL"),)
    id: int = row_id()
    lead_id: int = Field(foreign_key="leads.id", unique=True)
    by: str
    reason: str = ""
    deleted: dict[str, Any] = mapping()
    asked_at: datetime = instant()
    cleared_at: datetime | None = instant(nullable=True)
    done_at: datetime | None = instant(nullable=True)


class ErasedPerson(SQLModel, table=True):
    """Recognises an erased person, or one nobody may contact. hash: keyed; the value that it was made from is not kept."""

    __tablename__ = "erased_people"
    hash: str = Field(primary_key=True)
    since: datetime = instant()


#: What is to be deleted at Prefect: what was typed in a form, a run, or all runs of a lead.
ChoreKind = Literal["input", "run", "lead"]


class PrefectChore(SQLModel, table=True):
    """Something that is still to be deleted at the Prefect server. Baton stores the row first and removes it after the deletion.

    kind: "input" (what was typed in a form: run_id, and name of the input), "run" (run_id) or "lead" (name: all runs of that lead).
    """

    __tablename__ = "prefect_chores"
    id: int = row_id()
    key: str = Field(unique=True)
    kind: Word[ChoreKind]
    run_id: str = ""
    name: str = ""
    since: datetime = instant()
