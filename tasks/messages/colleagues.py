"""Tells a rep that another person of the lead's company is with a rep too."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from agreements.model import Agreement
from agreements.roster import Roster
from storage import companies, roster
from storage.tables import Assignment, Handoff, Lead


def told(session: Session, handoff: Handoff, agreement: Agreement, reader: str, *, now: datetime) -> tuple[str, Assignment | None]:
    """Return one sentence about the colleague of this lead, empty for none; and the colleague's tenure if it is the reader's own.

    Of several colleagues the sentence names one that the reader has, else the first.
    """
    found = companies.colleagues(session, handoff, agreement, now=now)
    if not found:
        return "", None
    row = next((one for one in found if one.rep == reader), found[0])
    lead = session.get(Lead, row.lead_id)
    assert lead is not None, "an assignment always has a lead: the foreign key says so"
    person = " ".join(filter(None, (lead.first_name, lead.last_name))) or "somebody"
    of = f" of {lead.company}" if lead.company else ""
    several = f" There are {len(found) - 1} more." if len(found) > 1 else ""
    sentence = f"A colleague asks too: {person}{of} (lead {lead.id}). {_with(row, reader, roster.current(session))}{several}"
    return sentence, row if row.rep == reader else None


def _with(row: Assignment, reader: str, people: Roster) -> str:
    if row.ended_at is None:
        return "You have that lead." if row.rep == reader else f"{people.name_of(row.rep)} has that lead."
    who = "You" if row.rep == reader else people.name_of(row.rep)
    return f"{who} had that lead until {row.ended_at.day} {row.ended_at:%B}."
