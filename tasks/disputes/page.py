"""The page behind a dispute's link: marketing sees what it may dispute, a manager sees what to decide, both see the result."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.errors import LinkInvalid
from agreements.roster import Roster
from agreements.words import AnswerKind, NoWord
from notifications.letter import LeadView
from notifications.links import Links, ToDispute
from storage import devices, disputes, handoffs, roster
from storage.page_requests import PageRequest
from storage.tables import Answer, Dispute, GivenRuling, Level, Look
from tasks.dispute_window import open_until, why_not
from tasks.disputes import rulings
from tasks.disputes.messages import text_of
from tasks.messages import lead_view
from tasks.replies.browsers import Sender, request_about
from tasks.replies.link_life import ACTS_FOR, require_good
from tasks.replies.opened_link import OpenedLink

LISTED_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Rejection:
    """One answer that may be, or was, disputed. until: the latest time for a dispute; closed: why there can be none, in words.

    kind: rejected or returned; by: name of the person who gave the lead back; rep: name of the rep who had the lead, for whom
    that person may have answered; link: to the answer's own page, for the person who looks.
    """

    answer_id: int
    lead_number: int
    company: str
    kind: AnswerKind
    by: str
    rep: str
    reason: str
    at: datetime
    until: datetime
    closed: str
    ruling: GivenRuling | NoWord = ""
    disputed: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True)
class DisputeVisit:
    """The content of the page now. open_to: what this person may do: dispute, decide, or empty for nothing.

    words: the rep's text; raised_by, raised_words, raised_at, due_at: the objection; ruling, decided_by, ruling_words,
    decided_at, again: the result, with decided_by empty if nobody decided in time. level: of the browser for the person: "",
    "known" or "enrolled".
    """

    person_name: str
    timezone: str
    now: datetime
    rejection: Rejection
    lead: LeadView
    open_to: str
    words: str = ""
    dispute_id: int = 0
    raised_by: str = ""
    raised_words: str = ""
    raised_at: datetime | None = None
    due_at: datetime | None = None
    ruling: GivenRuling | NoWord = ""
    decided_by: str = ""
    ruling_words: str = ""
    decided_at: datetime | None = None
    again: bool = False
    list_link: str = ""
    level: Level | NoWord = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """The person who reads a list of rejections, and gets a link to each. at: the time of writing in the links, None for none."""

    person: str
    links: Links
    at: datetime | None

    def link_to(self, answer_id: int) -> str:
        """Return this person's link to the page of an answer; 0 for the list of all answers."""
        return self.links.for_dispute(answer_id, self.person, at=self.at)


@dataclass(frozen=True, slots=True)
class DisputeList:
    """The last week's rejections, newest first, for one person of marketing."""

    person_name: str
    timezone: str
    now: datetime
    rejections: tuple[Rejection, ...]


def visit(session: Session, link: OpenedLink, *, now: datetime, device: str = "") -> DisputeVisit | DisputeList:
    """Return the content of this link's page now. device: hash of the browser. Reads only. Raises LinkInvalid."""
    asked, people = link.links.read_to_dispute(link.token), roster.current(session)
    require_good(session, people, asked.person, asked.at, now=now, opens_many=asked.answer_id == 0)
    person, reader = people.people[asked.person], Reader(asked.person, link.links, asked.at)
    if asked.answer_id == 0:
        rows = listed(session, people, now=now, reader=reader) if rulings.may_raise(people, asked.person) else ()
        return DisputeList(person.name, person.timezone, now, rows)
    answer = session.get(Answer, asked.answer_id)
    if answer is None:
        raise LinkInvalid()
    return _one(session, people, answer, reader, now, devices.level(session, device, asked.person, now=now))


def request_for(session: Session, asked: ToDispute, sender: Sender, what: Look, *, now: datetime) -> PageRequest | None:
    """Return the request for this page, to be stored; None if it is about no handoff. Reads only."""
    answer = session.get(Answer, asked.answer_id)
    if answer is None:
        return None
    return request_about(session, PageRequest(at=now, handoff_id=answer.handoff_id, person=asked.person, what=what), sender)


def listed(
    session: Session, people: Roster, *, now: datetime, reader: Reader | None = None, since: datetime | None = None
) -> tuple[Rejection, ...]:
    """Return the rejections of the last week (or since an instant), newest first. reader: gets the links, None for no links."""
    answers = disputes.rejections(session, since=since or now - LISTED_FOR, now=now)
    return tuple(_rejection(session, people, answer, now, reader) for answer in answers)


def _rejection(session: Session, people: Roster, answer: Answer, now: datetime, reader: Reader | None = None) -> Rejection:
    handoff = handoffs.get(session, answer.handoff_id)
    row = disputes.of_answer(session, answer.id)
    code = str(answer.data.get("reason", ""))
    reason = handoffs.agreement_of(session, handoff).reason(code)
    return Rejection(
        answer_id=answer.id,
        lead_number=handoff.lead_id,
        company=handoffs.lead_of(session, handoff).company,
        kind=answer.kind,
        by=people.name_of(disputes.giver_of(session, answer)),
        rep=people.name_of(disputes.rep_of(session, answer)),
        reason=reason.words if reason else code,
        at=answer.answered_at,
        until=open_until(session, answer),
        closed=why_not(session, answer, now=now),
        ruling=row.ruling if row else "",
        disputed=row is not None,
        link=reader.link_to(answer.id) if reader else "",
    )


def _one(session: Session, people: Roster, answer: Answer, reader: Reader, now: datetime, level: Level | NoWord) -> DisputeVisit:
    ident = reader.person
    person, row = people.people[ident], disputes.of_answer(session, answer.id)
    rejection = _rejection(session, people, answer, now)
    may_list = rulings.may_raise(people, ident) and reader.at is not None and now < reader.at + ACTS_FOR
    return DisputeVisit(
        person_name=person.name,
        timezone=person.timezone,
        now=now,
        rejection=rejection,
        lead=lead_view.lead_view(session, handoffs.get(session, answer.handoff_id), now=now),
        open_to=_open_to(session, people, answer, row, ident, now),
        words=_words(session, answer.text_id),
        list_link=reader.link_to(0) if may_list else "",
        level=level,
        **(_told_of(session, people, row) if row else {}),  # type: ignore[arg-type]
    )


def _open_to(session: Session, people: Roster, answer: Answer, row: Dispute | None, ident: str, now: datetime) -> str:
    if row is None:
        return "dispute" if rulings.may_raise(people, ident) and not why_not(session, answer, now=now) else ""
    may = rulings.may_decide(people, row, disputes.rep_of(session, answer), ident)
    return "decide" if may and not row.ruling and now <= row.due_at else ""


def _told_of(session: Session, people: Roster, row: Dispute) -> dict[str, object]:
    return {
        "dispute_id": row.id,
        "raised_by": people.name_of(row.raised_by),
        "raised_words": _words(session, row.text_id),
        "raised_at": row.raised_at,
        "due_at": row.due_at,
        "ruling": row.ruling,
        "decided_by": people.name_of(row.decided_by) if row.decided_by else "",
        "ruling_words": _words(session, row.ruling_text_id),
        "decided_at": row.decided_at,
        "again": row.again_id is not None,
    }


def _words(session: Session, ident: int | None) -> str:
    found = text_of(session, ident)
    return found.text if found else ""
