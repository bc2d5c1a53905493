"""Digest: messages that need not interrupt wait for the morning. Each person gets one digest a working day with all of them.

The content of the digest is in digest_message.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session, col, select

from agreements import presence
from agreements.calendar.working_time import WorkingCalendar
from agreements.model import Agreement
from agreements.roster import Person
from notifications.letter import DigestRow
from notifications.links import Links
from storage import contracts, deliveries, digests, handoffs, offers, outcomes, roster, waits
from storage.digests import Aside
from storage.tables import AnswerState, Assignment, DeliveryState, DigestItem, Handoff, Wait
from tasks.choices import DUTIES, rep_choices
from tasks.clock_inputs import NO_CLOCK, clock_of

MESSAGE: Final = "digest"
#: The kind of an item that the digest shows even if it is settled by then: a missed deadline.
MISSED: Final = "missed"
#: The kind of an item that the digest shows as settled: somebody else answered for the person.
ANSWERED: Final = "answered"
HOW_IT_STANDS = "How is it going? Still needed: an outcome (opportunity or returned)."
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Morning:
    """The beginning of a person's working day. day: its date by the person's calendar; key: of the digest of that day."""

    at: datetime
    day: str
    key: str


def put_aside(session: Session, handoff: Handoff, wait: Wait, aside: Aside, *, now: datetime) -> None:
    """Stores an item for its person's next digest, and makes sure that this digest is queued."""
    digests.put_aside(session, handoff, replace(aside, key=f"{aside.key}:digest"), wait_id=wait.id, now=now)
    expect(session, aside.person, now=now, handoff=handoff)


def expect_check_in(session: Session, handoff: Handoff, wait: Wait, *, now: datetime) -> None:
    """Queues a digest for the holder of this wait, if its clock asks for a check-in each working day."""
    if _checks_in(session, handoff, wait):
        expect(session, wait.holder, now=now, handoff=handoff)


def expect(session: Session, person: str, *, now: datetime, handoff: Handoff | None = None, after: datetime | None = None) -> None:
    """Queues the person's next digest: one message a working day. Its content is put together when it is sent.

    handoff: one that the digest is about. Its agreement defines the calendar if the agreement in force does not. after: the digest goes
    out later than this; later than now where not given.
    """
    who, at = roster.current(session).person(person), after or now
    while who is not None:
        morning = next_morning(session, person, who, at, now=now, handoff=handoff)
        if morning is None:
            return
        told = {"day": morning.day}
        if deliveries.queue(
            session,
            None,
            deliveries.Message(MESSAGE, context=told),
            deliveries.Copy(morning.key, "email", person),
            now=now,
            send_at=morning.at,
        ):
            return
        row, at = digests.lock(session, morning.key), morning.at
        if row is not None and row.state == DeliveryState.QUEUED:
            return  # this digest is not put together yet, and its row is locked here: it will contain this too


def expect_news(session: Session, *, now: datetime) -> None:
    """Queues the next digest of whoever speaks for marketing now, if an outcome waits for it: who was to read it may be away or gone."""
    if outcomes.is_any_untold(session, now=now):
        expect(session, presence.marketing(roster.current(session), now), now=now)


def next_morning(session: Session, person: str, who: Person, at: datetime, *, now: datetime, handoff: Handoff | None) -> Morning | None:
    """The beginning of the next working day after `at` on which the person is there; None if no agreement is known."""
    calendar = calendar_of_person(session, person, who, now=now, handoff=handoff)
    if calendar is None:
        return None
    opens = calendar.next_working_day(at)
    while who.is_away(opens):
        opens = calendar.next_working_day(who.back_at(opens) - _INSTANT)
    day = opens.astimezone(calendar.timezone).date().isoformat()
    return Morning(opens, day, f"{MESSAGE}:{person}:{day}")


def calendar_of_person(session: Session, person: str, who: Person, *, now: datetime, handoff: Handoff | None) -> WorkingCalendar | None:
    """The person's calendar in the default agreement in force, else in the agreement of a handoff that the digest is about."""
    known: list[Agreement] = [one for one in map(contracts.read, contracts.counting(session, now)) if one.is_default]
    items = [] if handoff else digests.lately(session, person, now=now)[-1:]
    told = handoff or next((handoffs.get(session, item.handoff_id) for item in items), None) or _held(session, person)
    if told is not None and told.agreement:
        known.append(handoffs.agreement_of(session, told))
    named = [one for one in known if who.calendar in one.calendar_values]
    return next((one.calendar(who.calendar) for one in [*named, *known]), None)


def _held(session: Session, person: str) -> Handoff | None:
    query = select(Handoff).join(Wait, col(Wait.handoff_id) == col(Handoff.id)).where(Wait.holder == person, col(Wait.closed_at).is_(None))
    return session.exec(query.order_by(col(Handoff.id).desc()).limit(1)).first()


def matter_of(session: Session, item: DigestItem) -> Wait | None:
    """The open wait of an item, or the wait with more time that followed it; None where it is settled."""
    wait = waits.open_of(session, item.handoff_id)
    if wait is None or wait.answer_id is not None:
        return None
    if wait.id == item.wait_id:
        return wait
    before = session.get(Wait, item.wait_id)
    same = before is not None and (wait.kind, wait.assignment_id) == (before.kind, before.assignment_id) and wait.rung > 0
    return wait if same else None


def still_counts(session: Session, item: DigestItem) -> bool:
    """Whether the answer behind an item of the kind ANSWERED still counts: it may have been taken back meanwhile."""
    wait = session.get(Wait, item.wait_id)
    answer = waits.answer_of(session, wait) if wait else None
    return answer is not None and answer.state == AnswerState.COUNTED


def check_ins(session: Session, person: str) -> list[tuple[Wait, Handoff]]:
    """The open outcome waits of this person that ask for a check-in each working morning."""
    query = select(Wait, Handoff).join(Handoff, col(Handoff.id) == col(Wait.handoff_id))
    query = query.where(Wait.holder == person, Wait.kind == "outcome", col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
    return [(wait, handoff) for wait, handoff in session.exec(query) if _checks_in(session, handoff, wait)]


def _checks_in(session: Session, handoff: Handoff, wait: Wait) -> bool:
    return wait.kind == "outcome" and wait.about != NO_CLOCK and bool(clock_of(session, handoff, "outcome").check_in)


@dataclass(frozen=True, slots=True)
class Writing:
    """How the links of a digest are written. at: the time of writing that stands in them, None for none; now: aware."""

    links: Links
    at: datetime | None
    now: datetime


def row_of(session: Session, handoff: Handoff, wait: Wait | None, person: str, what: str, *, writing: Writing) -> DigestRow:
    """The row of one lead in a digest. wait: the open wait, None where it is settled. writing: how its link is written."""
    return DigestRow(
        number=handoff.lead_id,
        company=handoffs.lead_of(session, handoff).company,
        stage=handoff.stage,
        what=what,
        due_at=wait.due_at if wait else None,
        link=link_of(session, handoff, wait, person, writing=writing) if wait else "",
        done=wait is None,
    )


def link_of(session: Session, handoff: Handoff, wait: Wait, person: str, *, writing: Writing) -> str:
    """The link on which this person may answer that wait: as the rep, as the holder, or as whoever decides for the holder now.
    Empty if the person may not answer it."""
    links, at = writing.links, writing.at
    tenure = session.get(Assignment, wait.assignment_id) if wait.assignment_id else None
    if tenure is not None and tenure.rep == person:
        return links.for_tenure(tenure.id, at=at)
    if tenure is not None and (offer := offers.open_to_in(session, person, tenure)) is not None:
        return links.for_tenure(offer.id, at=at)
    if wait.holder == person and wait.kind in DUTIES:
        return links.for_duty(wait.id, person, at=at)
    may = wait.kind in DUTIES or rep_choices(handoffs.agreement_of(session, handoff), handoff, wait)
    asked = offers.asked_for(session, wait.holder, wait.assignment_id)
    decides = presence.decides_for(roster.current(session), person, asked, writing.now)
    return f"{links.for_person(person, at=at)}/{wait.id}" if may and decides else ""
