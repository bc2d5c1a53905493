"""Browsers: which browser sent an answer, whether this proves a person, and the message when somebody else's browser did."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from agreements.words import AnswerKind, NoWord
from storage import deliveries, devices, page_requests, roster
from storage.devices import ENROLLED, KNOWN
from storage.page_requests import PageRequest
from storage.tables import Level, Look, SeenAs
from tasks.replies.link_page import ReplyContext

log = logging.getLogger("baton.web")
TOO_FAST = timedelta(seconds=2)
"""Nobody reads a page and answers it in less."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The browser that sent a request. device: hash of its cookie; is_new: it had none; age: time from showing to sending the form.

    was: the browser's level for the addressee before a code in this request proved it; None if none did. becomes: hash of the
    cookie that the browser gets when it has proved itself, empty if it keeps its own.
    """

    device: str
    is_new: bool = False
    method: str = "POST"
    agent: str = ""
    age: timedelta | None = None
    was: Level | NoWord | None = None
    becomes: str = ""


def is_unproven(session: Session, sender: Sender, person: str, *, now: datetime) -> bool:
    """Whether the sender may be a robot: the browser is not known for that person, or is known but answered too fast."""
    if sender.was is not None:
        return False
    level = devices.level(session, sender.device, person, now=now)
    too_fast = sender.age is None or sender.age < TOO_FAST
    return level != ENROLLED and (level != KNOWN or too_fast)


def was_before(session: Session, sender: Sender, person: str, *, now: datetime) -> Level | NoWord:
    """The browser's level for that person before this request."""
    return devices.level(session, sender.device, person, now=now) if sender.was is None else sender.was


def forwarding(session: Session, sender: Sender, place: ReplyContext, *, was: Level | NoWord, now: datetime) -> dict[str, Any]:
    """The facts for the trail if somebody other than the addressee probably gave the answer; empty otherwise.

    was: the browser's level for the addressee before this answer.
    """
    if was == ENROLLED or place.members:
        return {}
    others = [ident for ident in devices.people_of(session, sender.device, now=now) if ident != place.person]
    had_another = any(row.hash != sender.device for row in devices.of_person(session, place.person, now=now))
    if not others and (was or not had_another):
        return {}
    of = next((ident for ident in others if place.people.person(ident)), "")
    return {"forwarded": True, **({"device_of": of} if of else {})}


def tell_addressee(session: Session, place: ReplyContext, *, key: str, kind: AnswerKind, context: dict[str, Any], now: datetime) -> None:
    """Queues a personal message that somebody else seems to have answered through the addressee's link."""
    said = {"kind": kind, "at": now.isoformat(), "handoff_id": place.handoff.id, "assignment_id": place.tenure.id if place.tenure else ""}
    said |= {"wait_id": place.wait.id if place.wait else "", **context}
    deliveries.queue(
        session,
        None,
        deliveries.Message("answered-for-you", context=said),
        deliveries.Copy(f"{key}:answered-for-you:email", "email", place.person),
        now=now,
    )


def request_at(session: Session, place: ReplyContext, sender: Sender, what: Look, *, now: datetime) -> PageRequest:
    """Return the request of this browser for that page, to be stored. Reads only."""
    tenure, wait = place.tenure.id if place.tenure else "", place.wait.id if place.wait else ""
    about = PageRequest(at=now, handoff_id=place.handoff.id, assignment_id=tenure, wait_id=wait, person=place.person, what=what)
    return request_about(session, about, sender)


def request_about(session: Session, about: PageRequest, sender: Sender) -> PageRequest:
    """Return the same request with the facts about its browser, to be stored. Reads only."""
    known = _is_to(session, sender, about.person, now=about.at)
    age = sender.age.total_seconds() if sender.age is not None else -1.0
    return replace(about, method=sender.method, agent=sender.agent, device=known, age_seconds=age)


def _is_to(session: Session, sender: Sender, person: str, *, now: datetime) -> SeenAs:
    """The browser's relation to that person, as PageRequest names it. A member's browser is one of the shared mailbox too."""
    if level := devices.level(session, sender.device, person, now=now):
        return level
    if sender.is_new:
        return "new"
    known = roster.current(session).person(person)
    own = known.members if known else ()
    of = devices.people_of(session, sender.device, now=now)
    return page_requests.OTHERS if of and not set(of) & set(own) else "back"


def note_sight(session: Session, place: ReplyContext, sender: Sender, what: Look, *, now: datetime) -> None:
    """Stores the page request that came with an answer. Never fails the answer. Call inside a write transaction."""
    keep_requests(session, [request_at(session, place, sender, what, now=now)])


def keep_requests(session: Session, requests: Sequence[PageRequest]) -> None:
    """Stores these requests; logs and skips one that cannot be stored. Call inside a write transaction."""
    for request in requests:
        try:
            with session.begin_nested():
                page_requests.record(session, request)
        except SQLAlchemyError as error:
            log.warning("a request for the page of handoff %s could not be kept: %s", request.handoff_id, type(error).__name__)


def name_of_sender(session: Session, ident: str) -> str:
    """The name of the browser's owner; "somebody" if the owner is unknown."""
    return roster.current(session).name_of(ident) if ident else "somebody"
