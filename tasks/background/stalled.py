"""Note open opportunities that have not changed in the CRM for the agreed time."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from storage import opportunities, trail
from storage.database import ROWS_AT_ONCE
from storage.tables import Handoff
from tasks.wiring.toolbox import Toolbox

#: The most opportunities in one transaction: each is one row and one line of the trail.
AT_ONCE = ROWS_AT_ONCE // 2


async def note_stalled(box: Toolbox) -> int:
    """Note each opportunity that is stalled now, with one line in its lead's trail; returns how many."""
    noted = 0
    while ids := await box.read(lambda session, now: list(session.scalars(opportunities.stalling_query(now).limit(AT_ONCE)))):
        noted += await box.write(lambda session, now, ids=ids: sum(_note(session, one, now) for one in ids))  # type: ignore[misc]
    return noted


def _note(session: Session, opportunity_id: int, now: datetime) -> bool:
    row = opportunities.stall(session, opportunity_id, now=now)
    if row is None:
        return False
    handoff = session.get(Handoff, row.handoff_id)
    since = row.updated_at.isoformat()
    trail.record(session, "opportunity-stalled", now=now, handoff=handoff, opportunity=row.crm_id, stage=row.stage, since=since)
    return True
