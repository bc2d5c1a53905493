"""Faults in the company's own templates: if one cannot be used, the message goes out with Baton's template and is marked."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlmodel import Session

from notifications.letter import Letter
from storage import trail
from storage.tables import Delivery, Handoff

log = logging.getLogger("baton.templates")
#: The key in a delivery's context under which the faulty templates are kept, by file and line.
FAULTY = "faulty_templates"


def note_faults(session: Session, row: Delivery, handoff: Handoff | None, letter: Letter, *, now: datetime) -> None:
    """Writes the faulty templates that Baton's own replaced to the delivery, and once to the trail."""
    places = [fault.place for fault in letter.faults]
    if places and row.context.get(FAULTY) != places:
        log.warning("%s was written by Baton's own templates: %s; `baton messages check` says more", row.key, "; ".join(places))
        row.context = {**row.context, FAULTY: places}
        session.add(row)
        trail.record(session, "template-faulty", now=now, handoff=handoff, message=row.message, channel=row.channel, files=places)
