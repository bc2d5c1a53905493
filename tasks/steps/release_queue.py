"""The release queue: leads of a tier that is released at the reps' pace wait here. Each wakes on the morning of its turn."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from agreements.calendar.working_time import WorkingCalendar
from agreements.choosing import Choosing
from agreements.clocks import schedule
from agreements.model import Agreement
from storage import handoffs, roster, waits
from storage.tables import Handoff, Wait

#: The subject of the wait of a lead in the queue.
ABOUT: Final = "release"
#: The most leads that one call brings forward.
CALLED_AT_ONCE = 25


def must_wait(session: Session, handoff: Handoff, seen: Choosing) -> bool:
    """Whether the leads before this one take everything that is left of today's share."""
    return _before(session, handoff, seen.queue_of(handoff.tier)) >= seen.left_now


def wait_in_queue(
    session: Session, handoff: Handoff, agreement: Agreement, seen: Choosing, *, why: str, now: datetime, not_before: datetime | None = None
) -> None:
    """Holds the lead until the working day of its turn opens. Its delivery clock runs from this opening.

    not_before: when the first rep is back, if every rep is away.
    """
    handoff.queue = seen.queue_of(handoff.tier)
    before, calendar_of = _before(session, handoff, handoff.queue), partial(_calendar, session, agreement)
    at = seen.turn_at(before=before, now=now, calendar_of=calendar_of, not_before=not_before)
    calendar = calendar_of(seen.in_queue[0].rep)
    due = schedule(agreement.clock("delivery", handoff.leg), tier=handoff.tier, start=at, calendar=calendar).due_at
    wait, promised = waits.open_of(session, handoff.id), None
    if wait:
        promised = wait.promised_at if wait.about == ABOUT else None
        waits.close(session, wait, because="planned anew", now=now)
    day = at.astimezone(ZoneInfo(agreement.timezone))
    handoffs.move(session, handoff, "held", now=now, why=f"{why}, planned for {day:%a} {day.day} {day:%b %H:%M}")
    waits.open_wait(
        session,
        handoff,
        waits.NewWait("delivery", about=ABOUT, holder="marketing", due_at=due, promised_at=promised, next_at=min(at, due)),
        now=now,
    )


def pull_forward(session: Session, handoff: Handoff, seen: Choosing, *, goes: bool, now: datetime) -> None:
    """Brings the next leads of the queue forward to today, if today's share has more room than the leads due today need.

    goes: this lead leaves the queue now. One call brings forward at most CALLED_AT_ONCE leads, to keep the transaction short.
    The assignment of each of them calls this function again, for the next ones.
    """
    queue = seen.queue_of(handoff.tier)
    spare = seen.left_now - goes - _count(session, queue, col(Wait.next_at) <= now, Handoff.id != handoff.id)
    if spare > 0:
        later = (
            _in_queue(select(Wait), queue).where(col(Wait.next_at) > now).order_by(col(Wait.handoff_id)).limit(min(spare, CALLED_AT_ONCE))
        )
        for wait in session.exec(later.with_for_update(skip_locked=True, of=Wait)):  # a locked one is being worked on, and comes by itself
            wait.next_at = now
            session.add(wait)


def _calendar(session: Session, agreement: Agreement, rep: str) -> WorkingCalendar:
    person = roster.current(session).person(rep)
    return agreement.calendar(person.calendar if person else "")


def length(session: Session, queue: str) -> int:
    """How many leads wait in this queue."""
    return _count(session, queue)


def _before(session: Session, handoff: Handoff, queue: str) -> int:
    return _count(session, queue, col(Handoff.id) < handoff.id)


def _count(session: Session, queue: str, *conditions: Any) -> int:
    return int(session.exec(_in_queue(select(func.count()).select_from(Wait), queue).where(*conditions)).one())


def _in_queue(query: Any, queue: str) -> Any:
    waiting = (col(Wait.closed_at).is_(None), Wait.about == ABOUT, Handoff.queue == queue)
    return query.join(Handoff, col(Handoff.id) == col(Wait.handoff_id)).where(*waiting)
