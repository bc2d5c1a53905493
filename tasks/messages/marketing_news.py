"""What marketing is told about a lead: by a message at once, or by a line in its morning digest. marketing_digest.py writes the digest."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlmodel import Session

from agreements import presence
from agreements.roster import Roster
from agreements.telling_marketing import ANSWERED, SETTLED, News, why_at_once
from agreements.words import AnswerKind, NoWord
from storage import deliveries, disputes, handoffs, outcomes, roster
from storage.tables import Answer, Dispute, Handoff
from tasks import dispute_window
from tasks.messages import digest

#: What sales did, in the sentence of a message about the lead.
DID: Mapping[AnswerKind | NoWord, str] = {
    "accepted": "accepted",
    "rejected": "rejected",
    "returned": "returned",
    "sql": "qualified and handed on",
    "opportunity": "made an opportunity of",
}
#: The same about "it", where that is not just the word behind it.
_DID_IT: Mapping[AnswerKind | NoWord, str] = {"sql": "qualified it and handed it on"}


def tell_answer(session: Session, handoff: Handoff, answer: Answer, *, now: datetime) -> None:
    """Tells marketing the answer of sales, once the answer can no longer be taken back: at once, or in the next digest."""
    at = max(now, answer.effective_at)
    news = News(ANSWERED, answer.kind, dispute_window.open_if_any(session, answer))
    reader, morning = _reader(session, handoff, after=at, now=now)
    outcome = news.outcome
    if outcome and not why_at_once(news, handoffs.agreement_of(session, handoff).attention, morning=morning):
        outcomes.put_aside(session, answer, outcome, _sentence(session, handoff, answer), key=key_of(answer), at=at)
        digest.expect(session, reader, now=now, handoff=handoff, after=at)
        return
    context: dict[str, Any] = {"answer_id": answer.id, "extra": {"reason": str(answer.data.get("reason", "")), "kind": answer.kind}}
    message = deliveries.Message(ANSWERED, context=context, answer_id=answer.id)
    copy = deliveries.Copy(f"{key_of(answer)}:email", "email", presence.marketing(roster.current(session), now))
    deliveries.queue(session, handoff, message, copy, now=now, send_at=at)


def keeps_ruling(session: Session, row: Dispute, answer: Answer, person: str, what: str, *, now: datetime) -> bool:
    """Keeps how a dispute ended for marketing's next digest; False where this person is told at once instead.

    Whoever speaks for marketing now reads the digest. Anybody else, and the rep, the giver or the manager of the dispute, gets a message.
    what: the ruling in a sentence.
    """
    if person != presence.marketing(roster.current(session), now):
        return False
    if person in (disputes.rep_of(session, answer), disputes.giver_of(session, answer), row.holder):
        return False
    handoff = handoffs.get(session, row.handoff_id)
    reader, morning = _reader(session, handoff, after=now, now=now)
    if why_at_once(News(SETTLED), handoffs.agreement_of(session, handoff).attention, morning=morning):
        return False
    outcomes.put_aside(session, answer, SETTLED, what, key=f"dispute:{row.id}:settled", at=now)
    digest.expect(session, reader, now=now, handoff=handoff)
    return True


def key_of(answer: Answer) -> str:
    """The key of what marketing is told about this answer: twice the same is told once."""
    return f"answer:{answer.id}:feedback"


def found_wrong(answer: Answer) -> str:
    """What the rep ticked as wrong or missing in the note, in a sentence after a space; empty for nothing."""
    wrong = ", ".join(str(name).replace("_", " ") for name in answer.data.get("note_wrong", ()))
    return f" Wrong or missing in the note: {wrong}." if wrong else ""


def _sentence(session: Session, handoff: Handoff, answer: Answer) -> str:
    """Who did what and why. Names of colleagues and agreed words only: the sentence is stored."""
    reason = handoffs.agreement_of(session, handoff).reason(str(answer.data.get("reason", "")))
    why = f": {reason.words}" if reason else ""
    return f"{roster.current(session).name_of(answer.by)} {_DID_IT.get(answer.kind, f'{DID[answer.kind]} it')}{why}.{found_wrong(answer)}"


def _reader(session: Session, handoff: Handoff, *, after: datetime, now: datetime) -> tuple[str, datetime | None]:
    """Who reads marketing's digest on the morning after that instant, and when it goes out; None where nobody of marketing is there."""
    people = roster.current(session)
    named = presence.marketing(people, now)
    opens = _opening(session, people, named, handoff, after, now)
    reader = presence.marketing(people, opens) if opens else named
    return reader, None if opens is None or people.people[reader].is_away(opens) else opens


def _opening(session: Session, people: Roster, person: str, handoff: Handoff, after: datetime, now: datetime) -> datetime | None:
    who = people.person(person)
    calendar = digest.calendar_of_person(session, person, who, now=now, handoff=handoff) if who else None
    return calendar.next_working_day(after) if calendar else None
