"""The messages about a dispute. They go out as personal messages, because the handoff may be over."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.words import MessageKind
from notifications.letter import Context
from notifications.links import Links
from storage import deliveries, disputes, handoffs, roster
from storage.disputes import OVERTURNED
from storage.tables import Answer, Delivery, Dispute, PersonalText
from tasks.messages import marketing_news
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import number_of, recipient
from tasks.messages.lead_view import lead_view

RAISED: Final = "dispute-raised"
TOLD: Final = "dispute-told"
SETTLED: Final = "dispute-settled"
MESSAGES = (RAISED, TOLD, SETTLED)


def tell_raised(session: Session, row: Dispute, answer: Answer, *, now: datetime) -> None:
    """Asks the manager to decide, and tells the rep, and the person who answered for the rep, that the answer is disputed."""
    people = roster.current(session)
    _queue(session, row, RAISED, row.holder, now=now)
    for person in dict.fromkeys((disputes.rep_of(session, answer), disputes.giver_of(session, answer))):
        if person != row.holder and people.person(person):
            _queue(session, row, TOLD, person, now=now)


def ask(session: Session, row: Dispute, *, now: datetime) -> None:
    """Asks whoever decides now on this dispute."""
    _queue(session, row, RAISED, row.holder, now=now)


def tell_settled(session: Session, row: Dispute, answer: Answer, *, now: datetime) -> None:
    """Tells everybody concerned how the dispute ended, except the person who decided."""
    people = roster.current(session)
    marketing = row.raised_by if people.person(row.raised_by) else presence.marketing(people, now)
    for person in dict.fromkeys((marketing, disputes.rep_of(session, answer), disputes.giver_of(session, answer), row.holder)):
        if not people.person(person) or person == row.decided_by:
            continue
        what = _what(SETTLED, row, "", "", people.name_of(row.decided_by))
        if person != marketing or not marketing_news.keeps_ruling(session, row, answer, person, what, now=now):
            _queue(session, row, SETTLED, person, now=now)


def _queue(session: Session, row: Dispute, message: MessageKind, person: str, *, now: datetime) -> None:
    key = f"dispute:{row.id}:{message.removeprefix('dispute-')}:{person}:email"
    deliveries.queue(
        session, None, deliveries.Message(message, context={"dispute_id": row.id}), deliveries.Copy(key, "email", person), now=now
    )


def draft_of(session: Session, row: Delivery, links: Links, *, now: datetime) -> Draft:
    """Return the draft of one of these messages. Reads only. Raises KeyError for an unknown person."""
    dispute = disputes.get(session, int(row.context["dispute_id"]))
    assert dispute is not None, "a dispute is never deleted"
    answer = session.get(Answer, dispute.answer_id)
    assert answer is not None, "a dispute is about an answer: the foreign key says so"
    handoff, people = handoffs.get(session, dispute.handoff_id), roster.current(session)
    reason = handoffs.agreement_of(session, handoff).reason(str(answer.data.get("reason", "")))
    giver = disputes.giver_of(session, answer)
    who = "you" if giver == row.person else people.name_of(giver)
    said = {
        "reason": str(answer.data.get("reason", "")),
        "reason_words": reason.words if reason else "",
        "marketing": people.name_of(dispute.raised_by),
        "text": _words(session, dispute.text_id),
        "rep_text": _words(session, answer.text_id),
        "ruling": dispute.ruling,
        "ruling_text": _words(session, dispute.ruling_text_id),
    }
    link = "" if row.message == TOLD else links.for_dispute(dispute.answer_id, row.person, at=now)
    context = Context(
        to=recipient(people, row.person),
        lead=lead_view(session, handoff, now=now),
        link=link,
        number=number_of(links, link),
        due_at=dispute.due_at if row.message == RAISED and not dispute.ruling else None,
        promise="If you do not decide by then, the rejection stands." if row.message == RAISED and not dispute.ruling else "",
        rep=people.name_of(giver),
        what=_what(row.message, dispute, people.name_of(dispute.raised_by), who, people.name_of(dispute.decided_by)),
        extra=said,
    )
    return Draft("told" if row.message == TOLD else row.message, context, row.key, f"lead-{handoff.lead_id}-{handoff.id}")


def _what(message: MessageKind, dispute: Dispute, marketing: str, who: str, decided: str) -> str:
    """The sentence about the dispute. who: the person who gave the lead back, "you" if this is the reader."""
    if message == RAISED:
        return f"{marketing} disputes that {who} gave this lead back." if not dispute.ruling else "This dispute is already settled."
    if message == TOLD:
        return f"{marketing} disputes that {who} gave this lead back. {'Your' if who == 'you' else 'The'} manager decides."
    if not dispute.decided_by:
        return "Nobody decided on the dispute in time, so the rejection stands."
    if dispute.ruling != OVERTURNED:
        return f"{decided} has decided: the rejection stands."
    follows = "The lead is assigned again." if dispute.again_id else "The lead is with somebody else by now, and stays there."
    return f"{decided} has decided: the rejection does not stand. {follows}"


def text_of(session: Session, ident: int | None) -> PersonalText | None:
    """Return a text that somebody wrote, None for no text."""
    return session.get(PersonalText, ident) if ident else None


def _words(session: Session, ident: int | None) -> str:
    found = text_of(session, ident)
    return found.text if found else ""
