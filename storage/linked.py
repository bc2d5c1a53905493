"""One person at one company after another: each lead is linked to the one before."""

from __future__ import annotations

from sqlmodel import Session, col, select

from agreements.changes import another_company
from agreements.lead import IncomingLead
from storage import activities, roster
from storage.tables import Lead


def line_of(session: Session, lead: Lead) -> list[Lead]:
    """All linked leads of this person, the oldest first; the lead alone where there are no others."""
    before = [lead]
    while before[0].linked_to and (earlier := session.get(Lead, before[0].linked_to)):
        before.insert(0, earlier)
    line = before[:1]
    for one in line:
        line += session.exec(select(Lead).where(Lead.linked_to == one.id).order_by(col(Lead.id)))
    return line


def at_company(session: Session, lead: Lead, incoming: IncomingLead) -> tuple[Lead, bool]:
    """This person's lead at the company that the conversion names; else the newest lead, and True: the person has moved."""
    line = [one for one in line_of(session, lead) if one.erased_at is None]
    key = activities.key_of(incoming)
    done = [one for one in line if len(line) > 1 and activities.has_done(session, one, key)]
    here = [one for one in line if not another_company((one.company, one.email), (incoming.company, incoming.email))]
    return (done or here or line)[-1], not done and not here


def is_suppressed(session: Session, lead: Lead) -> bool:
    """Whether nobody may contact this person. A wish from an earlier company counts as well."""
    if lead.do_not_contact or roster.is_suppressed(session, lead.email, lead.phone):
        return True
    others = [one for one in line_of(session, lead) if one.id != lead.id]
    return any(one.do_not_contact or roster.is_person_suppressed(session, one.email, one.phone) for one in others)
