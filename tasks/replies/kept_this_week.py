"""What both sides kept this week, as it was counted last, for the people who oversee leads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.review.share import Share
from agreements.review.this_week import ThisWeek
from agreements.where_time_went import TIME_PARTIES, TimeParty
from storage import week_counts

#: Figures that are older are not shown: nobody counts them any more.
SHOWN_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeptThisWeek:
    """The weeks of the agreements, each as its last count found it. own: what the reader's people kept under each agreement, of the
    promises that sales owed; empty where the reader oversees everybody."""

    weeks: tuple[ThisWeek, ...]
    own: tuple[Share, ...]

    @property
    def leads(self) -> int:
        """How many leads had an open pass under these agreements. A lead under two of them counts twice."""
        return sum(one.leads for one in self.weeks)

    @property
    def time_parts(self) -> dict[TimeParty, timedelta]:
        """The time that each party had of these leads within the week, in the order in which the parties are shown."""
        return {party: timedelta(seconds=sum(one.seconds.get(party, 0) for one in self.weeks)) for party in TIME_PARTIES}


def kept_this_week(session: Session, people: Collection[str] | None, *, now: datetime) -> KeptThisWeek:
    """Return what was counted last. people: whom the reader oversees, None for everybody. One statement."""
    weeks = tuple(one for one in week_counts.every(session) if one.as_of > now - SHOWN_FOR)
    return KeptThisWeek(weeks, () if people is None else tuple(one.of_people(people) for one in weeks))
