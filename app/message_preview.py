"""Previews a message as it would be sent now for a stored lead. Sends nothing and stores nothing."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from agreements.errors import HandoffError
from agreements.words import TEMPLATE_NAMES, TemplateName, word
from notifications.letter import Letter
from notifications.rendering import render
from notifications.samples import is_about_a_lead, sample
from storage import handoffs, roster, waits
from storage.tables import Answer, Delivery, Handoff, Lead
from tasks.messages import lead_context
from tasks.wiring.toolbox import Toolbox

#: The messages that go to marketing, and those that go to the manager.
_TO_MARKETING: tuple[TemplateName, ...] = ("note-needed", "feedback")
_TO_MANAGER: tuple[TemplateName, ...] = ("manager-told", "decision-asked")


class NothingToPreview(HandoffError):
    """This message cannot be shown for this lead."""


def for_lead(session: Session, box: Toolbox, message: str, lead_id: int, *, to: str, now: datetime) -> Letter:
    """Return the message of that name for this lead, to this person; to "": the person who got it last, or would get it.

    Raises NothingToPreview for no such lead, nobody of that id, or a message that is about no single lead.
    """
    name = word(message, TEMPLATE_NAMES)
    if name and not is_about_a_lead(name):
        raise NothingToPreview(f"{message} is not about one lead; preview it without --lead.")
    handoff = _handoff(session, lead_id)
    if name is None:
        return render(message, sample("told"), key="preview")  # raises, and names the messages that there are
    row = _row(session, handoff, name, to)
    people = roster.current(session)
    if people.person(row.person) is None:
        known = ", ".join(sorted(people.people))
        raise NothingToPreview(f"{row.person or 'nobody'} is not in the roster; name somebody who is with --to: {known}.")
    context = lead_context.context_of(session, handoff, row, box.links, now=now)
    thread = f"lead-{lead_id}-{handoff.id}"
    return render(message, context, key=row.key, thread=thread, facts=lead_context.crm_facts(context), folder=box.templates)


def _handoff(session: Session, lead_id: int) -> Handoff:
    handoff = handoffs.latest_of(session, lead_id)
    if handoff is None:
        lead = session.get(Lead, lead_id)
        went = f" It was merged into lead {lead.merged_into}." if lead and lead.merged_into else ""
        raise NothingToPreview(f"There is no handoff of lead {lead_id}.{went} `baton leads list` shows which there are.")
    if not handoff.agreement:
        raise NothingToPreview(f"Lead {lead_id} is held: no agreement is in force for it, so nobody gets a message yet.")
    return handoff


def _row(session: Session, handoff: Handoff, message: TemplateName, to: str) -> Delivery:
    """Return the last delivery with its facts; where there was none, one like it that is never stored."""
    query = select(Delivery).where(Delivery.handoff_id == handoff.id, Delivery.message == message)
    if to:
        query = query.where(Delivery.person == to)
    known = session.exec(query.order_by(col(Delivery.id).desc()).limit(1)).first()
    if known is not None:
        return known
    tenures = handoffs.assignments(session, handoff.id)
    wait, tenure = waits.open_of(session, handoff.id), tenures[-1].id if tenures else ""
    answer = session.exec(select(Answer).where(Answer.handoff_id == handoff.id).order_by(col(Answer.id).desc()).limit(1)).first()
    context = {"wait_id": wait.id if wait else "", "tenure": tenure, "answer_id": answer.id if answer else None}
    person = to or _usual(session, handoff, message)
    return Delivery(
        key=f"preview:{message}:{handoff.id}", message=message, person=person, assignment_id=tenure, channel="email", context=context
    )


def _usual(session: Session, handoff: Handoff, message: TemplateName) -> str:
    people = roster.current(session)
    if message in _TO_MARKETING:
        return people.marketing
    if message == "ops-told":
        return people.operator
    if message in _TO_MANAGER:
        return people.manager_of(handoff.rep)
    return handoff.rep or handoff.brought_by
