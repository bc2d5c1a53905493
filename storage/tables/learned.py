"""What Baton learns about absences by itself: the state of calendar feeds, and automatic replies."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlmodel import Field, SQLModel

from storage.tables.base import Word, index_where, instant, row_id


class CalendarFeed(SQLModel, table=True):
    """The state of one person's calendar feed. The address is in the roster and not here: it is a secret.

    address: digest of the address; host: shown to people. next_at: when it is asked again. asked_at: the newest try. good_at: when
    its content was last read; failing_since: the first failed try after that, None while it works. problem: why, in words.
    told_at: when operations got a message about it. etag, modified: what the server calls the content that was read. content: digest
    of the content and of the time for which it was read. absences: how many it has.
    """

    __tablename__ = "calendar_feeds"
    person: str = Field(primary_key=True)
    address: str
    host: str
    next_at: datetime = instant()
    asked_at: datetime | None = instant(nullable=True)
    good_at: datetime | None = instant(nullable=True)
    failing_since: datetime | None = instant(nullable=True)
    problem: str = ""
    told_at: datetime | None = instant(nullable=True)
    etag: str = ""
    modified: str = ""
    content: str = ""
    absences: int = 0


#: What became of an automatic reply: nothing yet, an absence was recorded, or somebody said that the person is there.
Settled = Literal["", "recorded", "there"]


class AutoReply(SQLModel, table=True):
    """An automatic reply of a person's mailbox to a message of Baton: the person may be away. Its text is not kept.

    day: in the person's zone. until: the day of return that the reply names, None if it names none. asked: the manager was asked because
    of this reply, once for each person and day. handoff_id: of the lead that the message was about, None for no lead.
    """

    __tablename__ = "auto_replies"
    __table_args__ = (index_where("auto_replies_open", "person", where="settled = ''"),)
    id: int = row_id()
    delivery_id: int = Field(unique=True)
    person: str = Field(index=True)
    day: date
    at: datetime = instant()
    until: date | None = None
    handoff_id: int | None = None
    asked: bool = False
    settled: Word[Settled] = ""
    settled_by: str = ""
