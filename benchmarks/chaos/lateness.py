"""Find out how late Baton noticed each missed deadline, in Baton's time, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from benchmarks.chaos.outages import Leap, Outages
from benchmarks.chaos.plan import CHAT, SMTP
from benchmarks.chaos.supervised import WEB
from storage.tables import Answer, AnswerState, ClockReading, Event, Wait

#: A deadline that Baton noticed later than this, in Baton's time, needs a reason.
TOLERATED = timedelta(seconds=60)
#: No deadline needs these parts, so their outages explain nothing.
NO_EXCUSE = (WEB, SMTP, CHAT)


@dataclass(frozen=True, slots=True)
class Late:
    """A deadline that Baton noticed late.

    by: how late, in Baton's time.
    fell_due: the real instant at which Baton's clock reached the deadline.
    noticed: the real instant at which the miss was stored.
    reasons: outages between these two instants, and leaps of the clock.
    """

    handoff_id: int
    wait: str
    by: timedelta
    fell_due: datetime
    noticed: datetime
    reasons: tuple[str, ...]

    def told(self) -> str:
        """Describe the late deadline in one line."""
        why = ", ".join(self.reasons) or "no reason found"
        return f"handoff {self.handoff_id}, {self.wait}: noticed {self.by.total_seconds():.0f} s late: {why}"


@dataclass(frozen=True, slots=True)
class Calendar:
    """Translates between Baton's time and real time. readings: real instants, each with how far Baton's time ran ahead from then on."""

    readings: Sequence[tuple[datetime, timedelta]]

    def baton(self, real: datetime) -> datetime:
        """Return what Baton's clock showed at that real instant."""
        return real + max(((at, ahead) for at, ahead in self.readings if at <= real), default=(real, timedelta(0)))[1]

    def real(self, instant: datetime) -> datetime:
        """Return the first real instant at which Baton's clock showed this or later."""
        found = instant
        for number, (at, ahead) in enumerate(self.readings):
            following = self.readings[number + 1][0] if number + 1 < len(self.readings) else None
            found = max(at, instant - ahead)
            if following is None or found < following:
                return found
        return found


def calendar(session: Session) -> Calendar:
    """Read every leap that is stored."""
    rows = session.exec(select(ClockReading).order_by(col(ClockReading.real_at), col(ClockReading.id)))
    return Calendar([(row.real_at, timedelta(seconds=row.ahead_seconds)) for row in rows])


def noticed_deadlines(session: Session) -> list[tuple[Wait, datetime]]:
    """Return each wait that its deadline answered, with the real instant at which that was stored."""
    rows = session.exec(
        select(Wait, Event.recorded_at)
        .join(Answer, col(Answer.id) == col(Wait.answer_id))
        .join(Event, (col(Event.handoff_id) == col(Wait.handoff_id)) & (col(Event.at) == col(Answer.answered_at)))
        .where(Answer.kind == "deadline", Answer.state == AnswerState.COUNTED.value, Event.kind == "answered-deadline")
        .order_by(col(Event.id))
    )
    return [(wait, recorded) for wait, recorded in rows]


def late_deadlines(session: Session, outages: Outages, *, tolerated: timedelta = TOLERATED) -> list[Late]:
    """Return the deadlines that Baton noticed later than tolerated, each with its reasons."""
    times, found = calendar(session), []
    for wait, noticed in noticed_deadlines(session):
        by = times.baton(noticed) - wait.due_at
        if by > tolerated:
            fell_due = times.real(wait.due_at)
            reasons = tuple(reasons_for(outages, wait.due_at, fell_due, noticed, times))
            found.append(Late(wait.handoff_id, wait.kind, by, fell_due, noticed, reasons))
    return found


def reasons_for(outages: Outages, due: datetime, fell_due: datetime, noticed: datetime, times: Calendar) -> list[str]:
    """Return what the killer did to the clock, or to a part that deadlines need, before Baton noticed the deadline."""
    leaps = [_leap_told(one) for one in outages.leaps if one.after > due and one.before <= times.baton(noticed)]
    needed = [one for one in outages.felt_between(fell_due, noticed) if not one.target.startswith(NO_EXCUSE)]
    felt = dict.fromkeys(f"{one.kind} {one.target}" for one in needed)
    return [*leaps, *felt]


def _leap_told(leap: Leap) -> str:
    return f"the clock was set forward by {(leap.after - leap.before).total_seconds() / 60:.0f} min"
