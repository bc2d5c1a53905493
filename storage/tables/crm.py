"""What the CRM said: its changes until they are taken, the values of its fields, and the opportunities of leads."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Index
from sqlmodel import AutoString, Field, SQLModel

from agreements.words import CrmChangeKind, OpportunityState
from storage.tables.base import Word, index_where, instant, mapping, row_id


class CrmChange(SQLModel, table=True):
    """A change that was read from the CRM. The row stays for a time after it was taken: the same change read again is no second one.

    id: the CRM's name for the change. lead_id: the number that the CRM named, also where Baton has no such lead. at: when it was made, by
    the CRM's clock. details: the new values, emptied once taken. read_at, taken_at: Baton's time.
    """

    __tablename__ = "crm_changes"
    __table_args__ = (
        index_where("crm_changes_waiting", "at", "id", where="taken_at IS NULL"),
        Index("crm_changes_of_lead", "lead_id"),
        Index("crm_changes_taken", "taken_at"),
    )
    id: str = Field(primary_key=True)
    lead_id: int
    kind: Word[CrmChangeKind]
    by: str
    at: datetime = instant()
    details: dict[str, Any] = mapping()
    read_at: datetime = instant()
    taken_at: datetime | None = instant(nullable=True)


class CrmValue(SQLModel, table=True):
    """The value of one field of a lead in the CRM, of the fields that the agreement names.

    at: when it was set. by_baton: Baton wrote it. person_at: when a person set the field last, None for never.
    """

    __tablename__ = "crm_values"
    lead_id: int = Field(foreign_key="leads.id", primary_key=True)
    field: str = Field(primary_key=True)
    value: str
    at: datetime = instant()
    by_baton: bool = False
    person_at: datetime | None = instant(nullable=True)


class Opportunity(SQLModel, table=True):
    """An opportunity as the CRM says it. One row an opportunity, however often the CRM speaks of it.

    lead_id, handoff_id: None where the CRM names no lead that Baton knows. amount: hundredths of the currency, None where none was said
    or it was no number. reason: the CRM's own word for why it was lost. opened_at: when it began. closed_on: the day, as the CRM says.
    settled_at: when it was won or lost. faults: what cannot be right about it, by name. said: when the CRM said each value.
    by_baton: Baton created it. route: what the agreement made of the loss, empty for nothing. stalls_at: when it is stalled unless the CRM
    speaks of it before; None where nobody waits for that. stalled_at: since when it is stalled, None while it is not.
    """

    __tablename__ = "opportunities"
    __table_args__ = (
        Index("opportunities_opened", "opened_at"),
        Index("opportunities_settled", "settled_at"),
        index_where("opportunities_stalling", "stalls_at", where="stalls_at IS NOT NULL"),
    )
    id: int = row_id()
    crm_id: str = Field(unique=True)
    lead_id: int | None = Field(default=None, foreign_key="leads.id", index=True)
    handoff_id: int | None = Field(default=None, foreign_key="handoffs.id", index=True)
    owner: str = ""
    stage: str = ""
    amount: int | None = Field(default=None, sa_column=Column(BigInteger, nullable=True))
    currency: str = ""
    state: Word[OpportunityState] = Field(default=OpportunityState.OPEN.value, sa_type=AutoString)
    reason: str = ""
    opened_at: datetime = instant()
    closed_on: date | None = None
    settled_at: datetime | None = instant(nullable=True)
    faults: dict[str, str] = mapping()
    said: dict[str, Any] = mapping()
    by_baton: bool = False
    route: str = ""
    updated_at: datetime = instant()
    stalls_at: datetime | None = instant(nullable=True)
    stalled_at: datetime | None = instant(nullable=True)
