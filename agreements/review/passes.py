"""Passes: what a review knows of each pass of a lead through an agreement, as the time of the review knew it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from agreements.lifecycle import Stage

#: What became of a qualified lead so far. otherwise: it ended without an answer of sales, for example on the do-not-contact list.
Became = Literal["accepted", "rejected", "unanswered", "waiting", "otherwise"]


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass of a lead through an agreement. It goes on where a new version or a manager's ruling continued it, and counts once.

    id: of its first handoff. source: that sent the lead; company: as the lead gave it. stage: of its last handoff today. version: of the
    agreement, for the last handoff. by_sales: a rep brought the lead in. came_back: an earlier pass had ended. merged: it turned out to be
    another lead's. held: it waited because nobody was there, or in the release queue.
    Instants are aware UTC and None where that had not happened: began, mql, given to a rep, proven to have arrived, accepted, given
    back by sales, SQL, opportunity, ended. missed_at, not_attempted_at: the agreed time by which a rep had not answered, or had not tried
    to reach the lead. lead_began_at: when the lead was first stored. touches: attempts to reach the lead; reps: how often it was given
    to one.
    """

    id: int
    lead_id: int
    began_at: datetime
    lead_began_at: datetime
    version: int = 0
    tier: str = "normal"
    source: str = ""
    company: str = ""
    rep: str = ""
    stage: Stage = Stage.INQUIRY
    by_sales: bool = False
    came_back: bool = False
    merged: bool = False
    held: bool = False
    mql_at: datetime | None = None
    assigned_at: datetime | None = None
    proven_at: datetime | None = None
    accepted_at: datetime | None = None
    given_back_at: datetime | None = None
    missed_at: datetime | None = None
    not_attempted_at: datetime | None = None
    sql_at: datetime | None = None
    opportunity_at: datetime | None = None
    ended_at: datetime | None = None
    first_touch_at: datetime | None = None
    touches: int = 0
    reps: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it had not ended."""
        return self.ended_at is None

    @property
    def became(self) -> Became:
        """What became of it so far. An acceptance counts most, also one after a rejection."""
        if self.accepted_at:
            return "accepted"
        if self.given_back_at:
            return "rejected"
        if self.missed_at:
            return "unanswered"
        return "waiting" if self.is_open else "otherwise"

    @property
    def decided_at(self) -> datetime | None:
        """When sales first answered, or first missed the agreed time for an answer; None while the lead waits."""
        return earliest(self.accepted_at, self.given_back_at, self.missed_at)

    @property
    def worked_at(self) -> datetime | None:
        """When the first attempt at the accepted lead was made, or was overdue, or the pass ended without one; None before."""
        if self.accepted_at is None:
            return None
        tried = max(self.accepted_at, self.first_touch_at) if self.first_touch_at else None
        return earliest(tried, self.not_attempted_at, self.ended_at)

    @property
    def was_given_up(self) -> bool:
        """Whether sales had it and it ended without an opportunity."""
        return bool(self.assigned_at and self.ended_at and not self.opportunity_at and not self.merged)

    @property
    def is_out_of_order(self) -> bool:
        """Whether something happened before it began: a clock was set back, or somebody told a wrong time."""
        steps = (self.mql_at, self.assigned_at, self.accepted_at, self.first_touch_at, self.ended_at)
        return any(at is not None and at < self.began_at for at in steps)


def earliest(*instants: datetime | None) -> datetime | None:
    """Return the earliest of these instants, None where none of them has come."""
    return min((at for at in instants if at is not None), default=None)
