"""The page on which a manager says whether somebody whose mailbox answers by itself is away, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements import presence
from agreements.absences import NewAbsence, check_absence, read_day, span
from agreements.errors import AbsenceRefused, LinkInvalid
from agreements.lifecycle import Stage
from agreements.roster import Roster
from agreements.words import NoWord
from storage import absences, auto_replies, devices, handoffs, roster, waits
from storage.tables import AutoReply, Handoff, Level
from tasks.replies.link_life import require_good
from tasks.replies.opened_link import OpenedLink


@dataclass(frozen=True, slots=True)
class PerhapsAway:
    """Somebody whose mailbox answered by itself, while nobody has decided. name: the person's; at: aware; until: a day or None."""

    id: int
    name: str
    at: datetime
    until: date | None


@dataclass(frozen=True, slots=True)
class AwayVisit:
    """The content of the page. reader: the manager's name; zone: the manager's; asked: None once somebody decided, `settled` says how.

    level: of the browser for the manager: "", "known" or "enrolled".
    """

    reader: str
    zone: str
    name: str
    at: datetime
    until: date | None
    first_day: date
    settled: str
    level: Level | NoWord


def perhaps_away(session: Session, people: Roster, manager: str, *, now: datetime) -> list[PerhapsAway]:
    """Return for whom this person decides, and whose mailbox answered by itself. Whoever is known to be away is left out."""
    theirs = [ident for ident, person in people.people.items() if not person.is_away(now) and _decides(people, manager, ident, now)]
    return [PerhapsAway(row.id, people.name_of(row.person), row.at, row.until) for row in auto_replies.open_of(session, theirs)]


def visit(session: Session, link: OpenedLink, reply_id: int, *, now: datetime, device: str) -> AwayVisit:
    """Return the content of the page. Reads only. Raises LinkInvalid, also for somebody who does not decide for the person."""
    manager, people, row = _place(session, link, reply_id, now=now)
    reader = people.people[manager]
    return AwayVisit(
        reader=reader.name,
        zone=reader.timezone,
        name=people.name_of(row.person),
        at=row.at,
        until=row.until,
        first_day=now.astimezone(_zone(people, row.person)).date(),
        settled=row.settled,
        level=devices.level(session, device, manager, now=now),
    )


def record(session: Session, link: OpenedLink, reply_id: int, until: str, *, now: datetime) -> str:
    """Record that the person is away from now until that day; return it in words. Call inside a write transaction.

    until: the day on which the person is back, as 2027-02-08. A second call changes nothing. Raises LinkInvalid; AbsenceRefused.
    """
    manager, people, row = _place(session, link, reply_id, now=now)
    if row.settled:
        return ""
    if not until.strip():
        raise AbsenceRefused(f"Say on which day {people.name_of(row.person)} is back.")
    zone = _zone(people, row.person)
    new = NewAbsence(row.person, now, read_day(until, zone), "reply", now.astimezone(UTC).isoformat())
    check_absence(people, new, now=now)
    absences.add(session, new, by=manager, now=now)
    auto_replies.settle(session, row.person, "recorded", by=manager)
    _decide(session, row, manager, now=now)
    return f"{people.name_of(row.person)} is away {span(new.away, zone)}."


def _decide(session: Session, row: AutoReply, manager: str, *, now: datetime) -> None:
    """Decide about the lead for which the manager was asked because of the reply, as an absence decides about the others.

    The clock hands the others over. A lead that the rep has accepted stays with the manager if nobody stands in.
    """
    handoff = session.get(Handoff, row.handoff_id) if row.handoff_id and row.asked else None
    wait = waits.open_of(session, handoff.id) if handoff and handoff.rep == row.person else None
    if handoff is None or wait is None or wait.kind != "decision" or wait.answer_id is not None or wait.opened_at < row.at:
        return
    agreed = handoffs.agreement_of(session, handoff).routing.on_leave
    how = {Stage.ASSIGNED: agreed.assigned, Stage.ACCEPTED: agreed.accepted}.get(Stage(handoff.stage), agreed.working)
    deputy = presence.stand_in(roster.current(session), row.person, now) if how == "deputy" else ""
    if how == "somebody-else" or deputy:
        chosen = {"choice": "reassign", "colleague": deputy}
        waits.answer(session, wait.id, waits.NewAnswer("decided", by=manager, via="link", data=chosen), now=now)


def is_there(session: Session, link: OpenedLink, reply_id: int, *, now: datetime) -> str:
    """Note that the person is there after all; return it in words. Call inside a write transaction. Raises LinkInvalid."""
    manager, people, row = _place(session, link, reply_id, now=now)
    if not row.settled:
        auto_replies.settle(session, row.person, "there", by=manager)
    return f"{people.name_of(row.person)} is there."


def _place(session: Session, link: OpenedLink, reply_id: int, *, now: datetime) -> tuple[str, Roster, AutoReply]:
    own, people = link.links.read_person(link.token), roster.current(session)
    require_good(session, people, own.person, own.at, now=now, opens_many=True)
    row = session.get(AutoReply, reply_id)
    if row is None or people.person(row.person) is None or not _decides(people, own.person, row.person, now):
        raise LinkInvalid()
    return own.person, people, row


def _decides(people: Roster, manager: str, person: str, now: datetime) -> bool:
    """Whether that person decides for the other one, by office or now. Nobody decides about an absence of their own."""
    return manager != person and (manager == people.operator or presence.decides_for(people, manager, person, now))


def _zone(people: Roster, person: str) -> ZoneInfo:
    return ZoneInfo(people.people[person].timezone)
