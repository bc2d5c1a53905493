"""Automatic replies: a mailbox that answers by itself says that its person may be away. The manager is asked, and decides.

Only the signed mark of the return path names a delivery, as for a bounce. The reply changes nothing by itself: a mailbox also answers
for an hour in a meeting.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from agreements import presence
from agreements.roster import Roster
from storage import auto_replies, handoffs, proof, roster, trail, waits
from storage.tables import AutoReply, Delivery, Handoff, Wait
from tasks.messages import absence_message

#: A mailbox answers at once. What comes later answers something else.
WITHIN = timedelta(days=3)
#: A reply may name the day of return at most so far ahead.
_AHEAD = timedelta(days=366)


def take(session: Session, delivery_id: int, days: Sequence[date], *, now: datetime) -> bool:
    """Note an automatic reply to a message of ours, and ask the manager: once for each person and day.

    days: those that the reply names. False, with nothing changed, if the reply is known, is late, or is from nobody in the roster; a
    prospect never gets a message with a mark. Call inside a write transaction.
    """
    row, people = session.get(Delivery, delivery_id), roster.current(session)
    person = people.person(row.person) if row else None
    if row is None or person is None or row.state not in proof.MAY_COME_BACK or row.sent_at is None or now - row.sent_at > WITHIN:
        return False
    today = now.astimezone(ZoneInfo(person.timezone)).date()
    reply = auto_replies.note(session, row, day=today, until=_until(days, today), now=now)
    if reply is None:
        return False
    handoff = session.get(Handoff, row.handoff_id) if row.handoff_id else None
    facts: dict[str, Any] = {"to": row.person, "channel": row.channel, "message": row.message, "delivery_id": row.id}
    trail.record(session, "auto-replied", now=now, handoff=handoff, actor=f"channel:{row.channel}", **facts)
    if person.is_away(now):  # known already: what is agreed for an absence happens
        auto_replies.settle(session, row.person, "recorded", by="baton")
    elif reply.asked:
        _ask(session, people, reply, handoff, now)
    return True


def _until(days: Sequence[date], today: date) -> date | None:
    """The day of return: the last day that the reply names, if it is still to come and near. Whoever records it checks it."""
    ahead = [day for day in days if today < day <= today + _AHEAD]
    return max(ahead) if ahead and max(days) == max(ahead) else None


def _ask(session: Session, people: Roster, reply: AutoReply, handoff: Handoff | None, now: datetime) -> None:
    """Ask whoever decides for the person: about the lead if there is one, and otherwise in a message of its own."""
    asked = presence.decider(people, reply.person, now)
    if not asked or asked == reply.person:
        return
    wait = _open_wait(session, handoff, reply.person) if handoff else None
    if wait is not None:
        waits.answer(session, wait.id, waits.NewAnswer("away", by="baton", via="clock", data={"auto_reply": reply.id}), now=now)
    else:
        absence_message.tell_of_reply(session, people, reply, asked, now=now)


def _open_wait(session: Session, handoff: Handoff, person: str) -> Wait | None:
    """The wait that this rep with the lead owes an answer to, or that waits for proof that the rep was told."""
    tenure = handoffs.open_assignment(session, handoff) if handoff.ended_at is None else None
    wait = waits.open_of(session, handoff.id) if tenure and tenure.rep == person else None
    if wait is None or wait.answer_id is not None or wait.kind == "decision":
        return None
    return wait if wait.holder == person or wait.about == "proof" else None
