"""Personal messages: the content of each. lead_context.py has the content of messages that a handoff's run sends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from agreements.errors import HandoffError
from notifications.letter import CodeContext, Context
from notifications.links import Links
from storage import clearing, disputes, handoffs, offers, roster
from storage.tables import Answer, Assignment, Delivery
from tasks import opting_out
from tasks.choices import did
from tasks.disputes import messages as dispute_messages
from tasks.erasure import erasing
from tasks.messages import absence_message, alarm_message, complaint_message, crm_message, lead_context, reason_message, review_message
from tasks.messages.drafts import Draft
from tasks.messages.lead_view import lead_view
from tasks.replies import enrolment, mailed_codes, new_links
from tasks.replies.overseen_lead import overview_link
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
        case opting_out.MESSAGE:
            return _do_not_contact(session, row, box.links, now)
        case clearing.GOODBYE:
            return erasing.letter(session, row)
        case dispute_messages.RAISED | dispute_messages.TOLD | dispute_messages.SETTLED:
            return dispute_messages.draft_of(session, row, box.links, now=now)
        case absence_message.MESSAGE:
            return absence_message.draft_of(session, row, box.links, now=now)
        case complaint_message.MESSAGE:
            return complaint_message.draft_of(session, row)
        case alarm_message.MESSAGE:
            return alarm_message.draft_of(session, row)
        case crm_message.MESSAGE:
            return crm_message.draft_of(session, row)
        case reason_message.MESSAGE:
            return reason_message.draft_of(row)
        case review_message.MESSAGE:
            reader = overview_link(session, box.links, row.person, now=now)
            return review_message.draft_of(session, row, box.links, reader)
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
    signed = offers.link_id(session, tenure, row.person) if tenure else ""
    link = links.for_tenure(signed, at=now) if signed else links.for_duty(wait, row.person, at=now)
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


#: What the rep is told, by the channel that is refused.
_REFUSED: Mapping[str, str] = {
    "all": "This person asked not to be contacted. Please do not call or mail them again. You do not need to do anything else.",
    "email": "This person asked for no more mail. Please do not mail them. Everything else about the lead stays as it is.",
    "phone": "This person asked for no more calls. Please do not call them. Everything else about the lead stays as it is.",
}


def _do_not_contact(session: Session, row: Delivery, links: Links, now: datetime) -> Draft:
    handoff, channel = handoffs.get(session, int(row.context["handoff_id"])), str(row.context["channel"])
    link = links.for_tenure(offers.link_id(session, str(row.context["tenure"]), row.person), at=now)
    context = Context(
        to=lead_context.recipient(roster.current(session), row.person),
        lead=lead_view(session, handoff, now=now),
        link=link,
        number=lead_context.number_of(links, link),
        what=_REFUSED[channel],
        extra={"channel": channel},
    )
    return Draft(row.message, context, row.key, f"lead-{handoff.lead_id}-{handoff.id}")


def is_silenced(session: Session, row: Delivery) -> bool:
    """Whether this message is about a lead whom nobody may contact, and so must not go out. The one that says so may."""
    handoff_id = _about(session, row)
    if handoff_id is None or row.message in (opting_out.MESSAGE, clearing.GOODBYE):
        return False
    return handoffs.lead_of(session, handoffs.get(session, handoff_id)).do_not_contact


def _about(session: Session, row: Delivery) -> int | None:
    """The handoff that a personal message is about, None for none."""
    if known := row.context.get("handoff_id"):
        return int(known)
    if row.message in dispute_messages.MESSAGES and (dispute := disputes.get(session, int(row.context["dispute_id"]))):
        return dispute.handoff_id
    tenure = session.get(Assignment, row.assignment_id) if row.assignment_id else None
    answer = session.get(Answer, row.answer_id) if row.answer_id else None
    return tenure.handoff_id if tenure else answer.handoff_id if answer else None


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
