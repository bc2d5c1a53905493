"""Read the CRM: what sales changed there counts as an answer like any other."""

from __future__ import annotations

import logging
from datetime import datetime

from sqlmodel import Session

from agreements.lifecycle import Stage
from agreements.model import Agreement
from storage import handoffs, roster, trail, waits
from storage.crm.port import Change
from storage.tables import Bookmark, Handoff, Wait
from tasks.options import next_leg, rep_choices
from tasks.toolbox import Toolbox

log = logging.getLogger("baton.crm")
BOOKMARK = "crm"
#: Which answer a stage's words in the CRM mean.
MEANING = {"accepted": "accepted", "attempted": "attempted", "sql": "sql", "opportunity": "opportunity"}


async def read_crm(box: Toolbox) -> int:
    """Takes in what people changed since the last look; how many changes.

    All of them and the bookmark in one transaction; when somebody else has read them meanwhile, nothing. A change that cannot
    be taken is logged and passed over, so that it does not hold up the others.
    """
    since = await box.read(lambda session, now: _bookmark(session))
    changes, bookmark = await box.crm.changes_since(since)
    if bookmark == since:
        return 0

    def take_all(session: Session, now: datetime) -> int:
        if _bookmark(session) != since:
            return 0
        for change in changes:
            try:
                with session.begin_nested():
                    _take(session, change, now)
            except Exception:
                log.exception("change %s in the CRM could not be taken", change.number)
        session.merge(Bookmark(name=BOOKMARK, value=bookmark))
        return len(changes)

    return await box.write(take_all)


def _bookmark(session: Session) -> str:
    row = session.get(Bookmark, BOOKMARK, with_for_update=True)
    return row.value if row else ""


def _take(session: Session, change: Change, now: datetime) -> None:
    handoff = handoffs.latest_of(session, change.lead_number)
    if handoff is None or not handoffs.is_open(handoff):
        return
    wait = waits.open_of(session, handoff.id or 0, lock=True)
    at = min(change.at, now)
    trail.record(session, "crm-changed", now=at, handoff=handoff, actor=change.by, fields=sorted(change.values))
    if wait is None:
        return
    agreement = handoffs.agreement_of(session, handoff)
    allowed = rep_choices(agreement, handoff, wait)
    owner = change.values.get("owner", "")
    if owner and owner != handoff.rep and roster.current(session).person(owner) and "handed" in allowed:
        waits.answer(session, wait.id, "handed", by=change.by, via="crm", now=now, answered_at=at, colleague=owner)
        return
    kind = _meaning(agreement, change)
    if kind == "sql" and not next_leg(agreement, handoff):
        kind = "connected"  # nobody follows, and whoever is qualified was spoken to
    if kind in allowed:
        waits.answer(session, wait.id, kind, by=change.by, via="crm", now=now, answered_at=at)
    elif kind:
        _catch_up(session, handoff, wait, kind, change, at, now)


def _catch_up(session: Session, handoff: Handoff, wait: Wait, kind: str, change: Change, at: datetime, now: datetime) -> None:
    """Sales is further in the CRM than the open wait: working on a lead means having accepted it."""
    if kind in ("attempted", "connected", "sql", "opportunity") and handoff.stage == Stage.ASSIGNED:
        waits.answer(session, wait.id, "accepted", by=change.by, via="crm", now=now, answered_at=at, implied_by=kind)


def _meaning(agreement: Agreement, change: Change) -> str:
    for stage, words in agreement.crm.items():
        if words and all(change.values.get(name) == value for name, value in words.items()):
            return MEANING.get(stage, "")
    return ""
