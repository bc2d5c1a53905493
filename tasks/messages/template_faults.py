"""The company's own templates: where one of them could not be used, the message went out by Baton's own, and is marked so."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlmodel import Session

from notifications.letter import Letter
from storage import trail
from storage.tables import Delivery, Handoff

log = logging.getLogger("baton.templates")
#: Where a delivery keeps which templates were faulty, by file and line.
FAULTY = "faulty_templates"


def note_faults(session: Session, row: Delivery, handoff: Handoff | None, letter: Letter, *, now: datetime) -> None:
    """Writes down, in the delivery and once in the trail, for which faulty templates Baton's own stood in."""
    places = [fault.place for fault in letter.faults]
    if places and row.context.get(FAULTY) != places:
        log.warning("%s was written by Baton's own templates: %s; `baton messages check` says more", row.key, "; ".join(places))
        row.context = {**row.context, FAULTY: places}
        session.add(row)
        trail.record(session, "template-faulty", now=now, handoff=handoff, message=row.message, channel=row.channel, files=places)
