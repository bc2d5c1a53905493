"""Access: the browsers people answer from, who requested which page, and keys of the intake."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from storage.tables.base import Word, instant, row_id

#: How sure it is that a browser is somebody's: known after the code from a message was typed there, enrolled after a mailed code was.
Level = Literal["known", "enrolled"]
#: What a request for a page was: looked at it, sent an answer, had its answer refused or held, or confirmed a held answer.
Look = Literal["looked", "sent", "refused", "held", "confirmed"]
#: How a browser was seen: its level, or new, or back without a level, or known as somebody else's.
SeenAs = Literal[Level, "new", "back", "others"]


class ApiKey(SQLModel, table=True):
    """A key for a machine; only its hash is kept. scopes: what the key permits, words separated by spaces."""

    __tablename__ = "api_keys"
    hash: str = Field(primary_key=True)
    name: str = Field(unique=True)
    scopes: str = Field(default="intake", sa_column_kwargs={"server_default": "intake"})
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(nullable=True)


class Device(SQLModel, table=True):
    """A browser that is known to be one person's. hash: of the browser's cookie; the cookie itself is not kept.

    level: "known" after the code from a message was typed there, "enrolled" after a mailed code was. before: hash of the cookie that the
    browser had until then, empty for none.
    """

    __tablename__ = "devices"
    __table_args__ = (UniqueConstraint("hash", "person"),)
    id: int = row_id()
    hash: str
    person: str = Field(index=True)
    level: Word[Level]
    since: datetime = instant()
    before: str = Field(default="", sa_column_kwargs={"server_default": ""})
    revoked_at: datetime | None = instant(nullable=True)


class LinkEnd(SQLModel, table=True):
    """Ends all links that were written to this person up to this instant."""

    __tablename__ = "link_ends"
    person: str = Field(primary_key=True)
    at: datetime = instant()


class MailedCode(SQLModel, table=True):
    """A code that was mailed to a person. The code is derived from the row's id and a key of the installation, and is not kept.

    device_hash: the browser to be enrolled; empty for a code that replaces the code from the message, in any browser.
    """

    __tablename__ = "mailed_codes"
    id: int = row_id()
    person: str = Field(index=True)
    device_hash: str
    asked_at: datetime = instant()
    tries: int = 0
    used_at: datetime | None = instant(nullable=True)


class WrongNumber(SQLModel, table=True):
    """A wrong number that was typed in a browser for a person within the last hour, behind any link."""

    __tablename__ = "wrong_numbers"
    __table_args__ = (Index("wrong_numbers_of_person", "person", "at"),)
    id: int = row_id()
    device_hash: str = Field(index=True)
    person: str
    at: datetime = instant()


class Sight(SQLModel, table=True):
    """A request for the pages behind a link. The request does not show whether a person or a machine sent it, so it never stops a clock.

    what: looked, sent, refused, held or confirmed. device: "new", "back", "known", "enrolled", or "others" where the cookie says that the
    browser is known as somebody else's. age_seconds: time from showing the form to sending it, -1 where no form was shown.
    """

    __tablename__ = "sights"
    id: int = row_id()
    at: datetime = instant(index=True)
    handoff_id: int = Field(foreign_key="handoffs.id", index=True)
    assignment_id: str = Field(default="", index=True)
    wait_id: str = ""
    person: str = ""
    method: str
    what: Word[Look]
    device: Word[SeenAs]
    agent: str = ""
    age_seconds: float = -1.0
