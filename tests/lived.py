"""Recounts the age of leads by plain SQL, without any regard to whose the time was."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from agreements.where_time_went import summed, where_time_went
from storage import lives
from storage.database import UtcDateTime
from tasks.wiring.toolbox import Toolbox

#: How long each lead was open, from the moment it was stored, and how long it was in nurture.
_OPEN = "SELECT lead_id, created_at AS begins, ended_at AS ends FROM handoffs"
_NURTURED = (
    "SELECT lead_id, opened_at AS begins, closed_at AS ends FROM waits JOIN handoffs ON handoffs.id = handoff_id WHERE kind = 'revisit'"
)
#: What a person did after the lead's last pass and before the next one, the newest of it: from then until Baton stored it, and began.
_SENT = """
SELECT handoffs.lead_id, activities.at AS begins, handoffs.created_at AS ends FROM handoffs
JOIN activities ON activities.id = (
  SELECT id FROM activities WHERE activities.lead_id = handoffs.lead_id AND received_at <= handoffs.created_at
  ORDER BY received_at DESC, id DESC LIMIT 1)
WHERE NOT EXISTS (
  SELECT 1 FROM handoffs AS earlier
  WHERE earlier.lead_id = handoffs.lead_id AND earlier.id < handoffs.id AND earlier.ended_at > activities.at)
"""


def ages(session: Session, *, now: datetime) -> dict[int, timedelta]:
    """The age of each lead until now, in which a moment that two rows cover counts once."""
    spans: dict[int, list[tuple[datetime, datetime]]] = {}
    for statement in (_OPEN, _NURTURED, _SENT):
        for lead, begins, ends in session.execute(text(statement).columns(begins=UtcDateTime(), ends=UtcDateTime())):
            spans.setdefault(lead, []).append((begins, ends or now))
    return {lead: _together(found) for lead, found in spans.items()}


def _together(spans: list[tuple[datetime, datetime]]) -> timedelta:
    whole, reached = timedelta(), min(begins for begins, _ in spans)
    for begins, ends in sorted(spans):
        whole += max(ends - max(begins, reached), timedelta())
        reached = max(reached, ends)
    return whole


def wrong_ages(box: Toolbox) -> dict[int, tuple[timedelta, timedelta]]:
    """The leads whose parts do not add up to their age: by number, the sum of the parts and the age."""

    def compare(session: Session, now: datetime) -> dict[int, tuple[timedelta, timedelta]]:
        sums = {life.lead_id: sum(summed(where_time_went(life, now=now)).values(), timedelta()) for life in lives.every(session)}
        known = ages(session, now=now)
        return {lead: (found, known.get(lead, timedelta())) for lead, found in sums.items() if found != known.get(lead, timedelta())}

    return box.read_now(compare)
