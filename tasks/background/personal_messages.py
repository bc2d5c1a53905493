"""Personal messages: the content of each. lead_context.py has the content of messages that a handoff's run sends."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.errors import HandoffError
from notifications.letter import CodeContext, Context
from notifications.links import Links
from storage import clearing, handoffs, roster
from storage.tables import Answer, Delivery
from tasks.choices import did
from tasks.disputes import messages as dispute_messages
from tasks.erasure import erasing
from tasks.messages import absence_message, lead_context
from tasks.messages.drafts import Draft
from tasks.messages.lead_view import lead_view
from tasks.replies import enrolment, mailed_codes, new_links
from tasks.signing import announcements
from tasks.trail import mail as trail_mail
from tasks.wiring.toolbox import Toolbox


class NoSuchLetter(HandoffError):
    """Nobody knows how to write this message."""


def draft_of(session: Session, box: Toolbox, row: Delivery, *, now: datetime) -> Draft:
    """Return the draft of a delivery that has no handoff; digest_message.py makes a digest's draft. Reads only.

    Raises NoSuchLetter; KeyError for an unknown person.
    """
    match row.message:
        case "answered-for-you":
            return _answered_for_you(session, row, box.links, now)
        case "device-code":
            return _device_code(session, box, row)
        case mailed_codes.MESSAGE:
            return _number_guessed(session, row, box.links)
        case trail_mail.MESSAGE:
            return trail_mail.draft_of(row)
        case clearing.GOODBYE:
            return erasing.letter(session, row)
        case dispute_messages.RAISED | dispute_messages.TOLD | dispute_messages.SETTLED:
            return dispute_messages.draft_of(session, row, box.links, now=now)
        case absence_message.MESSAGE:
            return absence_message.draft_of(session, row)
        case new_links.MESSAGE:
            return new_links.draft_of(session, row, box.links, now=now)
        case announcements.MESSAGE:
            return announcements.draft_of(session, row, box.links)
    raise NoSuchLetter(f"{row.message} is no personal message.")


def _answered_for_you(session: Session, row: Delivery, links: Links, now: datetime) -> Draft:
    people, given = roster.current(session), row.context
    handoff = handoffs.get(session, int(given["handoff_id"]))
    answer = session.get(Answer, given["answer_id"]) if given.get("answer_id") else None
    whose = f"a browser of {people.name_of(given['device_of'])}" if given.get("device_of") else "a browser that we do not know as yours"
    undo = answer.effective_at if answer and answer.effective_at > now else None
    tenure, wait = str(given.get("assignment_id", "")), str(given.get("wait_id", ""))
    link = links.for_tenure(tenure, at=now) if tenure else links.for_duty(wait, row.person, at=now)
    context = Context(
        to=lead_context.recipient(people, row.person),
        lead=lead_view(session, handoff, now=now),
        link=link,
        number=lead_context.number_of(links, link),
        due_at=undo,
        rep=people.name_of(handoff.rep),
        what=f"Somebody used your link in {whose}. The answer was: {did(str(given['kind']))}.",
    )
    return Draft(row.message, context, row.key, f"lead-{handoff.lead_id}-{handoff.id}")


def _device_code(session: Session, box: Toolbox, row: Delivery) -> Draft:
    to = lead_context.recipient(roster.current(session), row.person)
    code = enrolment.code_of(box.links, int(row.context["code_id"]))
    return Draft(row.message, CodeContext(to, f"{box.settings.public_url}/me", code, enrolment.MINUTES), row.key)


def _number_guessed(session: Session, row: Delivery, links: Links) -> Draft:
    people = roster.current(session)
    code_id = int(row.context.get("code_id") or 0)
    code = enrolment.code_of(links, code_id) if code_id else ""
    context = CodeContext(
        to=lead_context.recipient(people, row.person),
        link="",
        code=code,
        minutes=mailed_codes.MINUTES,
        whose=people.name_of(str(row.context["whose"])),
    )
    return Draft(row.message, context, row.key)
