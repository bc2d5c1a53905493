"""One person at one company after another: each lead is linked to the one before."""

from __future__ import annotations

from sqlmodel import Session, col, select

from storage import suppressions
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


def is_suppressed(session: Session, lead: Lead) -> bool:
    """Whether nobody may contact this person. A wish from an earlier company counts as well."""
    if lead.do_not_contact or suppressions.is_suppressed(session, lead.email, lead.phone, lead.country):
        return True
    others = [one for one in line_of(session, lead) if one.id != lead.id]
    return any(one.do_not_contact or suppressions.is_person_suppressed(session, one.email, one.phone, one.country) for one in others)
