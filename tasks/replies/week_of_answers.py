"""What sales gave back in the last days, with disputes, and what reps ticked as wrong in notes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from storage import contracts, given_back

#: How far back it goes.
DAYS = 7


@dataclass(frozen=True, slots=True)
class ReasonLine:
    """One reason in words, how often it was given, disputed, and overturned."""

    words: str
    times: int
    disputed: int
    overturned: int


@dataclass(frozen=True, slots=True)
class WeekOfAnswers:
    """The reasons, the most frequent first, and the statements of notes that were ticked, with how often."""

    reasons: tuple[ReasonLine, ...]
    ticks: tuple[tuple[str, int], ...]

    @property
    def given_back(self) -> int:
        """How many leads were given back."""
        return sum(one.times for one in self.reasons)


def week_of_answers(session: Session, people: Sequence[str] | None, *, now: datetime) -> WeekOfAnswers:
    """Return what can no longer be taken back and was said since DAYS ago. people: who had the leads, None for everybody. Reads only."""
    since = now - timedelta(days=DAYS)
    words = {
        (agreement.agreement, reason.code): reason.words
        for agreement in (contracts.read(row) for row in contracts.counting(session, now))
        for reason in agreement.reasons
    }
    found = given_back.reason_times(session, since=since, now=now, holders=people)
    lines = (ReasonLine(words.get((row.agreement, row.reason), row.reason), row.times, row.disputed, row.overturned) for row in found)
    return WeekOfAnswers(tuple(lines), tuple(given_back.ticked(session, since=since, now=now, holders=people).items()))
