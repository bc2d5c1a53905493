"""The page behind a digest's link: one person's open leads now, and answers for many leads with one press."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel import Session, col, select

from agreements.words import GivenAnswer, NoWord
from notifications.letter import DigestRow
from notifications.links import DigestLink, Links
from storage import devices, digests, handoffs, offers, roster, waits
from storage.tables import Answer, AnswerState, Assignment, Level, Offer, Wait
from tasks.choices import CHANNELS, DUTIES, Option
from tasks.messages.digest import Writing, matter_of, row_of
from tasks.replies import answering, number_check
from tasks.replies.answering import SentForm
from tasks.replies.browsers import Sender, note_page_request
from tasks.replies.link_life import require_good
from tasks.replies.link_page import (
    ReasonOption,
    ReplyContext,
    answers_at,
    given,
    place_of,
    place_of_offer,
    place_of_tenure,
    reasons_of,
    refusals_of,
)
from tasks.replies.number_check import CodeProof
from tasks.replies.opened_link import OpenedLink
from tasks.replies.validation import ChoiceRefused, colleagues_of
from tasks.steps.remind import OWED

_MOVED_ON = "Nothing was saved here, because this lead has moved on since you opened the page. The row shows the lead as it is now."
_NOT_SAVED = "Nothing was saved here"


@dataclass(frozen=True, slots=True)
class OpenRow:
    """One open lead of a rep. ident: of the tenure or offer; wait_id: of the wait that the options answer; said: the rep's answer so far;
    undo_until: aware while this answer may be taken back on the lead's own page."""

    ident: str
    wait_id: str
    lead: DigestRow
    options: tuple[Option, ...]
    reasons: tuple[ReasonOption, ...] = ()
    colleagues: tuple[tuple[str, str], ...] = ()
    channels: tuple[tuple[str, str], ...] = ()
    refusals: tuple[tuple[str, str], ...] = ()
    said: str = ""
    undo_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DigestPage:
    """The content of a digest's page now. rows: leads that the person may answer here; elsewhere: leads to answer on another page,
    or only to know about; level: of the browser for the person: "", "known" or "enrolled"."""

    person: str
    person_name: str
    timezone: str
    day: str
    rows: tuple[OpenRow, ...]
    elsewhere: tuple[DigestRow, ...]
    now: datetime
    level: Level | NoWord = ""


@dataclass(frozen=True, slots=True)
class RowReply:
    """The result for one row. words: why it was not saved, or "Saved."."""

    saved: bool
    words: str


def open_round(session: Session, link: OpenedLink, *, now: datetime, device: str = "") -> DigestPage:
    """Return the open leads of the person whose link this is. device: hash of the browser. Reads only. Raises LinkInvalid."""
    morning = _read(session, link, now)
    people = roster.current(session)
    person = people.people[morning.person]
    links = link.links
    rows = sorted(_rows(session, morning, links, now), key=lambda row: (row.lead.due_at is None, row.lead.due_at or now, row.lead.number))
    elsewhere = _elsewhere(session, morning, links, {row.lead.number for row in rows}, now)
    level = devices.level(session, device, morning.person, now=now)
    return DigestPage(morning.person, person.name, person.timezone, morning.day, tuple(rows), elsewhere, now, level)


def prove(session: Session, link: OpenedLink, typed: str, *, sender: Sender, now: datetime) -> CodeProof:
    """Return whether the person of this digest sent the form, as number_check.prove does. Raises LinkInvalid."""
    return number_check.prove(session, link, _read(session, link, now).person, typed, sender=sender, now=now)


def answer_row(
    session: Session,
    link: OpenedLink,
    ident: str,
    sent: SentForm,
    *,
    wait_id: str,
    now: datetime,
    sender: Sender,
) -> RowReply:
    """Answers one row as the person whose link this is. Call inside a write transaction.

    wait_id: the open wait when the page was shown. sender: the browser, which has proved itself. Raises LinkInvalid for a link
    that is not from here.
    """
    morning = _read(session, link, now)
    tenure = session.get(Assignment, ident) or session.get(Offer, ident)
    if tenure is None or tenure.rep != morning.person:
        return RowReply(False, "Nothing was saved here: this lead is not yours.")
    own = OpenedLink(link.box, link.links.for_tenure(ident, at=morning.at).rpartition("/")[2])
    key = hashlib.sha256(f"{sent.key}:{ident}".encode()).hexdigest()[:32]
    wait = waits.open_of(session, tenure.handoff_id, lock=True)
    if wait is None or wait.id != wait_id:
        return _again(session, wait_id, sent.kind, morning.person)
    try:
        reply = answering.answer(session, own, replace(sent, key=key), now=now, sender=sender)
    except ChoiceRefused as error:
        return RowReply(False, f"{_NOT_SAVED}: {error}")
    if not reply.won:
        return RowReply(False, f"{_NOT_SAVED}: {reply.ended or 'It was answered before.'}")
    note_page_request(session, place_of(session, own, now=now), sender, "sent", now=now)
    return RowReply(True, "Saved.")


def _again(session: Session, wait_id: str, kind: GivenAnswer | NoWord, person: str) -> RowReply:
    """The result of pressing again after the answer was carried out: saved, if the same person gave the same answer."""
    query = select(Answer.id).where(Answer.wait_id == wait_id, Answer.kind == kind, Answer.by == person)
    same = session.exec(query.where(Answer.state == AnswerState.COUNTED).limit(1)).first()
    return RowReply(True, "Saved.") if same else RowReply(False, _MOVED_ON)


def _read(session: Session, link: OpenedLink, now: datetime) -> DigestLink:
    morning = link.links.read_digest(link.token)
    require_good(session, roster.current(session), morning.person, morning.at, now=now, opens_many=True)
    return morning


def _rows(session: Session, morning: DigestLink, links: Links, now: datetime) -> list[OpenRow]:
    query = select(Assignment, Wait).join(Wait, col(Wait.assignment_id) == col(Assignment.id))
    query = query.where(Assignment.rep == morning.person, col(Assignment.ended_at).is_(None), col(Wait.closed_at).is_(None))
    people = roster.current(session)
    rows = []
    for tenure, wait in session.exec(query.order_by(col(Wait.due_at), col(Wait.id))):
        place = place_of_tenure(session, tenure, people)
        rows.append(_row(session, place, tenure.id, wait, links, morning.at, now))
    for offer in offers.open_to(session, morning.person):
        asked = waits.open_of(session, offer.handoff_id)
        if asked is not None:
            rows.append(_row(session, place_of_offer(session, offer, people), offer.id, asked, links, morning.at, now))
    return rows


def _row(session: Session, place: ReplyContext, ident: str, wait: Wait, links: Links, at: datetime | None, now: datetime) -> OpenRow:
    owed = OWED.get(wait.about, OWED.get(wait.kind, "an answer"))
    what = "Your manager has been asked to decide, but you may still answer." if wait.kind == "decision" else f"Still needed: {owed}."
    counted = [] if place.options else answers_at(session, place)[-1:]
    last = given(session, counted[0], place, now) if counted else None
    kinds = {option.kind for option in place.options}
    return OpenRow(
        ident=ident,
        wait_id=wait.id,
        lead=row_of(session, place.handoff, wait, place.person, what, writing=Writing(links, at, now)),
        options=place.options,
        reasons=reasons_of(session, place) if kinds & {"rejected", "returned"} else (),
        colleagues=tuple(colleagues_of(place.people, place.handoff).items()) if place.options else (),
        channels=tuple(CHANNELS.items()) if "attempted" in kinds else (),
        refusals=refusals_of(place.agreement) if kinds & {"rejected", "returned"} else (),
        said=f"{'You' if last.mine else last.by} {last.words}." if last else "",
        undo_until=last.undo_until if last and last.mine else None,
    )


def _elsewhere(session: Session, morning: DigestLink, links: Links, shown: set[int], now: datetime) -> tuple[DigestRow, ...]:
    """The open tasks of this person as a manager or as marketing, and the leads of earlier digest items that are still open."""
    found: dict[int, DigestRow] = {}
    person = morning.person
    for item in digests.lately(session, person, now=now):
        matter = matter_of(session, item)
        if matter is not None:
            handoff = handoffs.get(session, item.handoff_id)
            found[handoff.lead_id] = row_of(session, handoff, matter, person, item.what, writing=Writing(links, morning.at, now))
    query = select(Wait).where(Wait.holder == person, col(Wait.kind).in_(DUTIES), col(Wait.closed_at).is_(None))
    for wait in session.exec(query.where(col(Wait.answer_id).is_(None))):
        handoff = handoffs.get(session, wait.handoff_id)
        what = f"Needed from you: {OWED[wait.kind]}."
        found[handoff.lead_id] = row_of(session, handoff, wait, person, what, writing=Writing(links, morning.at, now))
    rows = [row for number, row in found.items() if number not in shown]
    return tuple(sorted(rows, key=lambda row: (not row.link, row.due_at or now, row.number)))
