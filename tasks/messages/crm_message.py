"""The message to the operator that Baton and the CRM say different things. It names numbers of leads and no person."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from sqlmodel import Session

from agreements import presence
from agreements.crm_comparison import IN_SHORT, Finding
from agreements.errors import RosterError
from notifications.letter import AbsenceContext
from storage import deliveries, roster
from storage.tables import Bookmark, Delivery
from tasks.messages.drafts import Draft
from tasks.messages.lead_context import recipient

MESSAGE: Final = "crm-told"
#: Which findings operations got a message about last.
TOLD: Final = "crm-findings"


def tell(session: Session, findings: Sequence[Finding], *, now: datetime) -> bool:
    """Queue the message to the operator, or to whoever stands in, if the findings are others than last time. Returns whether it did.

    Call inside a write transaction. No findings are no message, and the next ones are news again.
    """
    before = session.get(Bookmark, TOLD, with_for_update=True)
    mark = _mark(findings)
    if mark == (before.value if before else ""):
        return False
    session.merge(Bookmark(name=TOLD, value=mark))
    with suppress(RosterError):  # without a roster there is nobody to write to
        people = roster.current(session)
        to = presence.stand_in(people, people.operator, now) or people.operator
        copy = deliveries.Copy(f"{MESSAGE}:{mark}:{now.isoformat()}:email", "email", to)
        return bool(findings) and deliveries.queue(session, None, deliveries.Message(MESSAGE, context=_said(findings)), copy, now=now)
    return False


def draft_of(session: Session, row: Delivery) -> Draft:
    """Return the draft of such a delivery. Reads only. Raises KeyError for an unknown person."""
    said = {name: str(row.context.get(name, "")) for name in ("subject", "what", "why", "todo", "command")}
    return Draft(MESSAGE, AbsenceContext(to=recipient(roster.current(session), row.person), link="", **said), row.key)


def _mark(findings: Sequence[Finding]) -> str:
    listed = sorted((one.kind, one.lead, one.where, one.what) for one in findings)
    return hashlib.sha256(repr(listed).encode()).hexdigest()[:32] if listed else ""


def _said(findings: Sequence[Finding]) -> dict[str, str]:
    count = len(findings)
    counts = Counter(one.kind for one in findings)
    listed = "; ".join(f"{IN_SHORT[kind]}: {number}" for kind, number in counts.most_common())
    return {
        "subject": f"The CRM and Baton differ in {count} {'place' if count == 1 else 'places'}",
        "what": f"Baton compared its leads with the CRM and found {count} {'difference' if count == 1 else 'differences'}.",
        "why": f"By kind: {listed}.",
        "todo": "The command below lists each lead with what to do. You get the next message when something else differs.",
        "command": "baton verify --crm",
    }
