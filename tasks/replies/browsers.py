"""Senders: from which browser an answer came, whether that proves a person, and who is told when it was somebody else's."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from storage import deliveries, devices, page_requests, roster
from storage.devices import ENROLLED, KNOWN
from storage.page_requests import PageRequest
from tasks.replies.link_page import ReplyContext

log = logging.getLogger("baton.web")
TOO_FAST = timedelta(seconds=2)
"""Nobody reads a page and answers it in less."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The browser a request came from. device: hash of its cookie; is_new: it had none; age: of the form that was sent.

    was: what it was to the addressee before it proved itself by what came with this request; None where it has not. becomes: hash
    of the cookie that it gets when it has proved itself, empty where it keeps its own.
    """

    device: str
    is_new: bool = False
    method: str = "POST"
    agent: str = ""
    age: timedelta | None = None
    was: str | None = None
    becomes: str = ""


def is_unproven(session: Session, sender: Sender, person: str, *, now: datetime) -> bool:
    """Whether it may have been a robot: the browser is not known for that person, or known and too fast."""
    if sender.was is not None:
        return False
    level = devices.level(session, sender.device, person, now=now)
    too_fast = sender.age is None or sender.age < TOO_FAST
    return level != ENROLLED and (level != KNOWN or too_fast)


def was_before(session: Session, sender: Sender, person: str, *, now: datetime) -> str:
    """What the browser was to that person before this request."""
    return devices.level(session, sender.device, person, now=now) if sender.was is None else sender.was


def forwarding(session: Session, sender: Sender, place: ReplyContext, *, was: str, now: datetime) -> dict[str, Any]:
    """What the trail says of an answer that somebody else than the addressee probably gave; nothing otherwise.

    was: what the browser was to the addressee before this answer.
    """
    if was == ENROLLED or place.members:
        return {}
    others = [ident for ident in devices.people_of(session, sender.device, now=now) if ident != place.person]
    had_another = any(row.hash != sender.device for row in devices.of_person(session, place.person, now=now))
    if not others and (was or not had_another):
        return {}
    of = next((ident for ident in others if place.people.person(ident)), "")
    return {"forwarded": True, **({"device_of": of} if of else {})}


def tell_addressee(session: Session, place: ReplyContext, *, key: str, kind: str, context: dict[str, Any], now: datetime) -> None:
    """Tells the addressee by post that somebody else seems to have answered through their link."""
    said = {"kind": kind, "at": now.isoformat(), "handoff_id": place.handoff.id, "assignment_id": place.tenure.id if place.tenure else ""}
    said |= {"wait_id": place.wait.id if place.wait else "", **context}
    deliveries.queue(
        session,
        None,
        deliveries.Message("answered-for-you", context=said),
        deliveries.Copy(f"{key}:answered-for-you:email", "email", place.person),
        now=now,
    )


def request_at(session: Session, place: ReplyContext, sender: Sender, what: str, *, now: datetime) -> PageRequest:
    """The request of this browser for the page of that place, to be kept. Reads only."""
    tenure, wait = place.tenure.id if place.tenure else "", place.wait.id if place.wait else ""
    about = PageRequest(at=now, handoff_id=place.handoff.id, assignment_id=tenure, wait_id=wait, person=place.person, what=what)
    return request_about(session, about, sender)


def request_about(session: Session, about: PageRequest, sender: Sender) -> PageRequest:
    """The same request with what is known of its browser, to be kept. Reads only."""
    known = _is_to(session, sender, about.person, now=about.at)
    age = sender.age.total_seconds() if sender.age is not None else -1.0
    return replace(about, method=sender.method, agent=sender.agent, device=known, age_seconds=age)


def _is_to(session: Session, sender: Sender, person: str, *, now: datetime) -> str:
    """What the browser is to that person, in the words of Sight. A browser of a member is one of the shared mailbox too."""
    if level := devices.level(session, sender.device, person, now=now):
        return level
    if sender.is_new:
        return "new"
    known = roster.current(session).person(person)
    own = known.members if known else ()
    of = devices.people_of(session, sender.device, now=now)
    return page_requests.OTHERS if of and not set(of) & set(own) else "back"


def note_sight(session: Session, place: ReplyContext, sender: Sender, what: str, *, now: datetime) -> None:
    """Keeps a request that comes with an answer; it is never a reason to fail. Call inside a write transaction."""
    keep_requests(session, [request_at(session, place, sender, what, now=now)])


def keep_requests(session: Session, requests: Sequence[PageRequest]) -> None:
    """Keeps these requests, but for one that cannot be. Call inside a write transaction."""
    for request in requests:
        try:
            with session.begin_nested():
                page_requests.record(session, request)
        except SQLAlchemyError as error:
            log.warning("a request for the page of handoff %s could not be kept: %s", request.handoff_id, type(error).__name__)


def name_of_sender(session: Session, ident: str) -> str:
    """What to call whoever's browser it was; nobody in particular where that is not known."""
    return roster.current(session).name_of(ident) if ident else "somebody"
