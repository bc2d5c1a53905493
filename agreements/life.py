"""The life of a lead as frozen values: its handoffs, and in each handoff everything that somebody owed.

storage/lives.py loads lives; where_time_went.py puts their time on the accounts of those who owed it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agreements.calendar.working_time import Span
from agreements.model import Agreement
from agreements.words import About, ClockName


@dataclass(frozen=True, slots=True)
class Owed:
    """Something that one person, or one of several, was to do. Instants are aware.

    clock, leg: the time limit that ran, in which leg (from 0). about: what makes it special. holder: the person's id.
    calendars: the calendars of those who were asked, by name, at least one; empty is the agreement's first.
    due_at: when the next thing happens without an answer. planned_at: when the lead's turn comes, for a lead in the queue.
    answered_at: None while nobody has answered; closed_at: None while it is open.
    """

    clock: ClockName
    about: About
    holder: str
    calendars: tuple[str, ...]
    leg: int
    opened_at: datetime
    due_at: datetime
    planned_at: datetime
    answered_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Disputed:
    """A rejection that marketing disputed, and who had to rule. ruled_at: None while nobody has. Instants are aware."""

    holder: str
    calendar: str
    raised_at: datetime
    ruled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Nurture:
    """The time in which marketing nurtured the lead after a handoff. until: None if it still does. Instants are aware."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class HandoffLife:
    """One handoff in the life of a lead. Instants are aware; None where it has not happened.

    acted_at, received_at: of the activity with which it began: when the person did it, and when Baton stored it.
    created_at: when the handoff began. released_at: until when it was held although stored; is_held: it still is.
    qualified_at: when it became an MQL, or went to the rep who brought it in. agreement: None while none covers the lead.
    requested_time: when the lead asked to be contacted. away: spans in which the clock stood because the rep was away and kept
    the lead. stuck: spans in which Baton could not go on; the end is None while it still cannot.
    """

    acted_at: datetime
    received_at: datetime
    created_at: datetime
    agreement: Agreement | None = None
    tier: str = "normal"
    requested_time: datetime | None = None
    released_at: datetime | None = None
    is_held: bool = False
    qualified_at: datetime | None = None
    ended_at: datetime | None = None
    owed: tuple[Owed, ...] = ()
    away: tuple[Span, ...] = ()
    stuck: tuple[tuple[datetime, datetime | None], ...] = ()
    nurture: Nurture | None = None
    disputes: tuple[Disputed, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """A lead with its handoffs, oldest first."""

    lead_id: int
    handoffs: tuple[HandoffLife, ...]
