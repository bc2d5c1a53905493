"""Promises: who kept them, who missed them, and who caused a miss. A promise counts in the period in which it was due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from agreements.clauses.after import CountsAgainst
from agreements.clauses.clocks import OwedBy
from agreements.review.period import Period
from agreements.review.share import Share, Value
from agreements.words import NOT_THERE, SEVERAL, About, AnswerKind, ClockName, Closed, NoWord

#: Waits about these break no person's promise: nobody is there, the lead is in the queue, or no clock runs.
UNPROMISED: tuple[About, ...] = ("hold", "release", "no-clock")
#: How a promise stands. void: it ended before it was due, without an answer.
Verdict = Literal["kept", "missed", "void", "open"]
#: Who owes what a wait is for. baton: the proof that the message to the rep arrived.
Owes = Literal[OwedBy, "baton"]
#: Who caused a miss. nobody: several reps were asked at once.
Cause = Literal[Owes, "routing", "nobody"]


@dataclass(frozen=True, slots=True)
class Promise:
    """A wait for an answer that was due at an agreed time.

    owed_by: as the clock says, baton for a proof. holder: who was asked. given, answered_at: the answer that counted. against: whom the
    reason counts against with which the same rep gave the lead back, nobody for none. began_at: when the clock started, None where that
    is not known. Instants are aware.
    """

    pass_id: int
    kind: ClockName
    owed_by: Owes
    promised_at: datetime
    about: About | NoWord = ""
    tier: str = "normal"
    holder: str = ""
    given: AnswerKind | NoWord = ""
    answered_at: datetime | None = None
    closed_at: datetime | None = None
    closed_because: Closed | NoWord = ""
    against: CountsAgainst = "nobody"
    began_at: datetime | None = None

    def verdict(self, as_of: datetime) -> Verdict:
        """Return how the promise stood at that instant."""
        if self.about in UNPROMISED or self.given in NOT_THERE:
            return "void"
        if self.given and self.given != "deadline" and self.answered_at is not None:
            return "kept" if self.answered_at <= self.promised_at else "missed"
        if self.given != "deadline" and self.closed_at is not None and self.closed_at <= self.promised_at:
            return "kept" if self.closed_because == "proven" else "void"
        return "missed" if self.promised_at < as_of else "open"

    @property
    def cause(self) -> Cause:
        """Return who caused a miss. A rep is not charged for a lead that marketing or routing should not have sent."""
        if self.about == "proof":
            return "baton"
        if self.holder == SEVERAL:
            return "nobody"
        if self.owed_by == "sales" and self.against != "nobody":
            return self.against
        return self.owed_by


class Kept(Value):
    """How often one promise was kept. kept: of those that were kept or missed by whoever owes it. caused_by: misses that others caused."""

    clock: ClockName
    owed_by: Owes
    kept: Share
    caused_by: dict[Cause, int] = {}


class WeekKept(Value):
    """The promises of one week that each side kept. monday: its first day."""

    monday: date
    marketing: Share
    sales: Share


def kept(promises: Iterable[Promise], period: Period) -> tuple[Kept, ...]:
    """Return how often each promise was kept that was due in the period, by clock and by who owes it."""
    counts: dict[tuple[ClockName, Owes], Share] = {}
    caused: dict[tuple[ClockName, Owes], Counter[Cause]] = {}
    for one, is_kept in decided(promises, period):
        key = (one.kind, one.owed_by)
        counts.setdefault(key, Share())
        if is_kept or one.cause == one.owed_by:
            counts[key] += Share(count=is_kept, of=1)
        else:
            caused.setdefault(key, Counter())[one.cause] += 1
    return tuple(
        Kept(clock=clock, owed_by=owed_by, kept=counts[clock, owed_by], caused_by=dict(sorted(caused.get((clock, owed_by), {}).items())))
        for clock, owed_by in sorted(counts)
    )


def decided(promises: Iterable[Promise], period: Period) -> Iterable[tuple[Promise, bool]]:
    """Yield the promises that were due in the period and kept or missed, each with whether it was kept."""
    for one in promises:
        if period.holds(one.promised_at) and (verdict := one.verdict(period.as_of)) in ("kept", "missed"):
            yield one, verdict == "kept"


def side(found: Iterable[Kept], owed_by: OwedBy) -> Share:
    """Return what one side kept over all its clocks."""
    return sum((one.kept for one in found if one.owed_by == owed_by), Share())


def of_clock(found: Iterable[Kept], clock: ClockName) -> Share:
    """Return how often one clock was kept by the person who owes it. Proofs that a message arrived are left out."""
    return sum((one.kept for one in found if one.clock == clock and one.owed_by != "baton"), Share())


def trend(promises: Sequence[Promise], period: Period) -> tuple[WeekKept, ...]:
    """Return what both sides kept in each of the last weeks, the newest last. Each week is judged as the end of the period knows it."""
    weeks: dict[date, dict[Owes, Share]] = {monday: {"marketing": Share(), "sales": Share()} for monday in period.weeks}
    for one, is_kept in decided(promises, period.since(period.weeks[0])):
        week = weeks[period.week(one.promised_at)]
        if one.owed_by in week and (is_kept or one.cause == one.owed_by):
            week[one.owed_by] += Share(count=is_kept, of=1)
    return tuple(WeekKept(monday=monday, marketing=kept["marketing"], sales=kept["sales"]) for monday, kept in weeks.items())
