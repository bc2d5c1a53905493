"""Leads: who they are, the ids that others know them by, and what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import JSON, Column, Index, UniqueConstraint, event
from sqlmodel import AutoString, Field, SQLModel

from agreements.company import company_key
from agreements.words import NoWord, OptOutChannel
from storage.tables.base import Word, index_where, instant, mapping, row_id


class Lead(SQLModel, table=True):
    """A person we know, and their company. All personal data about them is here, in lead_values or in personal_texts.

    source: the source that sent the newest conversion. linked_to: the same person's lead at the company where they were before. mail_key:
    the address in one form. person_key: the mail key where one person reads the mailbox, held by at most one lead; empty for every other
    lead. company_key: the domain by which colleagues are told, from the address at each change; empty for free mail.
    erased_at: when everything personal was deleted, at the person's wish or at the end of the retention time. beside: values from
    another source that differ, by name of the fact: a list of value, source and at (ISO, UTC). merged_into: the lead of the same person
    that goes on instead of this one. merged_by_hand: somebody decided that; the addresses differ, and it can be undone. do_not_contact:
    nobody may contact the person. not_by: the channels that the person refused, with a space between them.
    """

    __tablename__ = "leads"
    __table_args__ = (
        index_where("one_lead_a_person", "person_key", where="person_key <> ''", unique=True),
        index_where("leads_of_company", "company_key", "id", where="company_key <> ''"),
        index_where("merged_leads", "merged_into", where="merged_into IS NOT NULL"),
        index_where("leads_kept", "created_at", where="erased_at IS NULL"),
    )
    id: int = row_id()
    mail_key: str = Field(default="", index=True)
    person_key: str = ""
    company_key: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    phone: str = ""
    company: str = Field(default="", index=True)
    job_title: str = ""
    country: str = ""
    entry_channel: str = "web"
    source: str = Field(default="", index=True)
    campaign: str = Field(default="", index=True)
    values: dict[str, Any] = mapping()
    beside: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False, server_default="{}"), default_factory=dict)
    requested_time: datetime | None = instant(nullable=True)
    do_not_contact: bool = False
    not_by: str = ""
    merged_into: int | None = Field(default=None, foreign_key="leads.id")
    merged_by_hand: bool = False
    linked_to: int | None = Field(default=None, foreign_key="leads.id", index=True)
    last_touch_at: datetime | None = instant(nullable=True)
    created_at: datetime = instant()
    erased_at: datetime | None = instant(nullable=True)


@event.listens_for(Lead, "before_insert")
@event.listens_for(Lead, "before_update")
def _keep_company(mapper: Any, connection: Any, lead: Lead) -> None:
    """Keeps the company with the address, however it changes: an erased address takes the company along."""
    lead.company_key = company_key(lead.email)


class LeadSource(SQLModel, table=True):
    """An id that others know a lead by: one source id names one lead for ever."""

    __tablename__ = "lead_sources"
    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", index=True)


class SharedSource(SQLModel, table=True):
    """A further person who came under an id of a source that names somebody else: the source gave one id to several people."""

    __tablename__ = "shared_sources"
    source: str = Field(primary_key=True)
    source_id: str = Field(primary_key=True)
    lead_id: int = Field(foreign_key="leads.id", primary_key=True, index=True)


#: What somebody of marketing said about two leads that look like one person.
Twins = Literal["merged", "apart"]


class TwinPair(SQLModel, table=True):
    """Two leads that look like one person; the later lead first. why: in words, without personal data.

    settled: what somebody of marketing said, empty while nobody has.
    """

    __tablename__ = "twin_pairs"
    __table_args__ = (index_where("twin_pairs_open", "lead_id", where="settled = ''"),)
    lead_id: int = Field(foreign_key="leads.id", primary_key=True)
    other_id: int = Field(foreign_key="leads.id", primary_key=True, index=True)
    why: str
    found_at: datetime = instant()
    settled: Word[Twins | NoWord] = ""
    settled_by: str = ""
    settled_at: datetime | None = instant(nullable=True)


class LeadValues(SQLModel, table=True):
    """What a lead said about itself from this instant on, as facts by name; append-only, and erased with the lead."""

    __tablename__ = "lead_values"
    id: int = row_id()
    lead_id: int = Field(foreign_key="leads.id", index=True)
    at: datetime = instant()
    values: dict[str, Any] = mapping()


class Activity(SQLModel, table=True):
    """Something the lead did, from outside. brought_by: the rep who brought it in, empty for none. source: which system sent it.

    of_lead: the merged lead under whose id or address it came, None for the lead itself. repeated, repeated_at: how often and when last
    it came again as a repetition.
    """

    __tablename__ = "activities"
    __table_args__ = (UniqueConstraint("lead_id", "key"), Index("activities_of_source", "source", "received_at"))
    id: int = row_id()
    lead_id: int = Field(foreign_key="leads.id", index=True)
    key: str
    source: str = Field(default="", sa_column_kwargs={"server_default": ""})
    kind: str
    at: datetime = instant(index=True)
    path: str = ""
    campaign: str = ""
    text_id: int | None = None
    brought_by: str = ""
    received_at: datetime = instant()
    of_lead: int | None = None
    repeated: int = 0
    repeated_at: datetime | None = instant(nullable=True)


class Suppression(SQLModel, table=True):
    """An entry on the do-not-contact list: a mail key, the digits of a phone number, or a domain.

    channel: what is refused. reason: a code; source: where the wish came from; since: when it was told; added_by: who put it here.
    """

    __tablename__ = "suppressions"
    value: str = Field(primary_key=True)
    channel: Word[OptOutChannel] = Field(default="all", primary_key=True, sa_type=AutoString)
    reason: str = ""
    source: str = ""
    added_by: str = ""
    since: datetime = instant()
