"""Answered for: tell the rep who has a lead that somebody else answered for them."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.roster import Roster
from agreements.words import NOBODYS, AnswerKind, Attempt
from storage import answerers, deliveries, handoffs, roster
from storage.digests import Aside
from storage.tables import Answer, Assignment, Wait
from tasks.choices import DID
from tasks.messages import digest

#: Answers to tasks of managers, of marketing or of the clock: nobody gives them for a rep.
_OWN_DUTIES: tuple[AnswerKind, ...] = ("decided", "completed", *NOBODYS)


def tell_rep(session: Session, answer: Answer, *, now: datetime) -> None:
    """Tells the rep once that somebody else gave this answer for them; does nothing if the rep gave the answer.

    If leads of this tier do not interrupt, the message waits for the rep's morning digest. Otherwise it goes out by mail when the
    answer can no longer be taken back. Call inside the write transaction in which the answer counts.
    """
    people, wait = roster.current(session), session.get(Wait, answer.wait_id)
    rep = _rep_of(session, wait)
    if wait is None or people.person(rep) is None or _needs_no_word(people, answer, rep):
        return
    what = f"{answerer(people, answer)} answered for you: {DID.get(answer.kind, answer.kind)}."
    told = Aside(f"answer:{answer.id}:answered-for", rep, digest.ANSWERED, what)
    _tell(session, wait, told, send_at=max(now, answer.effective_at), answer_id=answer.id, now=now)


def tell_rep_of_attempt(session: Session, wait: Wait, kind: Attempt, *, by: str, key: str, now: datetime) -> None:
    """Tells the rep, once for each key, that somebody else noted an attempt to reach the lead; nothing if the rep noted it."""
    people, rep = roster.current(session), _rep_of(session, wait)
    person = people.person(rep)
    if person is not None and by not in (rep, *person.members):
        told = Aside(f"{key}:answered-for", rep, kind, f"{people.name_of(by)} noted for you: {DID[kind]}.")
        _tell(session, wait, told, now=now)


def answerer(people: Roster, answer: Answer) -> str:
    """The name of the person who gave this answer. A name that nobody could check is marked as such."""
    name = people.name_of(answer.by)
    return f"{name} (the name as it was typed in Prefect)" if answer.data.get("claimed") else name


def _tell(
    session: Session, wait: Wait, told: Aside, *, now: datetime, send_at: datetime | None = None, answer_id: int | None = None
) -> None:
    handoff = handoffs.get(session, wait.handoff_id)
    if not handoffs.agreement_of(session, handoff).interrupts(handoff.tier):
        digest.put_aside(session, handoff, wait, told, now=now)
        return
    message = deliveries.Message("told", {"what": told.what}, answer_id=answer_id)
    deliveries.queue(session, handoff, message, deliveries.Copy(f"{told.key}:email", "email", told.person), now=now, send_at=send_at)


def _rep_of(session: Session, wait: Wait | None) -> str:
    tenure = session.get(Assignment, wait.assignment_id) if wait and wait.assignment_id else None
    return tenure.rep if tenure else ""


def _needs_no_word(people: Roster, answer: Answer, rep: str) -> bool:
    """Whether the answer is the rep's own, has another message to the rep, or came from the rep's work in the CRM."""
    if answer.kind in _OWN_DUTIES or answer.data.get("forwarded") or answerers.is_own(people, answer, rep):
        return True
    return answer.via == "crm" and people.person(answer.by) is None  # a CRM may have another name for the rep
