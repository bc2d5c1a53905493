"""What Baton learns about absences by itself: the state of calendar feeds."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from storage.tables.base import instant


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
