"""Read the CRM: store what people changed there, then take each change as the answer, the attempt or the fact that it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from agreements.lead import MAX_FIELDS, MAX_SHORT, storable
from agreements.words import ABOUT_OPPORTUNITIES, CrmChangeKind
from storage import crm_changes
from storage.crm.port import Change
from storage.database import ROWS_AT_ONCE
from storage.tables import Bookmark, CrmChange
from tasks.crm.fields import take_fields
from tasks.crm.opportunities import keep_without_lead, take_opportunity
from tasks.crm.place import Place, place_of
from tasks.crm.records import take_converted, take_gone, take_merged
from tasks.crm.touches import take_touch
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.crm")
BOOKMARK = "crm"
#: The most changes in one transaction: an answer changes about seven rows.
AT_ONCE = ROWS_AT_ONCE // 8
#: How many waiting changes one look finds.
PAGE = 200
#: How long a change waits for the answer before it to be carried out. Then it is taken as it is.
LONGEST_WAIT = timedelta(hours=1)


async def read_crm(box: Toolbox) -> int:
    """Stores the CRM's changes since the last read and takes them; returns how many were new.

    Each transaction stores a few changes, and the last one moves the bookmark. A reading that was interrupted begins again at its
    bookmark. The names of the changes say which of them are stored already. Their number would not: a CRM may show a change only now
    that was made before them. If another process has moved the bookmark meanwhile, this one stops: the next reading gives the rest.
    A change that cannot be taken is logged and skipped, so it does not block the others.
    """
    bookmark = await box.read(_reached)
    changes, further = await box.crm.changes_since(bookmark)
    new = 0
    for start in range(0, len(changes) or 1, AT_ONCE) if further != bookmark else ():
        few = [_within_bounds(one) for one in changes[start : start + AT_ONCE]]
        to = further if start + AT_ONCE >= len(changes) else bookmark
        stored = await box.write(lambda session, now, few=few, to=to: _store_few(session, few, now, at=bookmark, to=to))  # type: ignore[misc]
        if stored is None:
            break
        new += stored
        await take_waiting(box)
    return new


async def take_waiting(box: Toolbox) -> int:
    """Takes the changes that were stored and not taken yet, those of each lead in the order in which they were made; returns how many.

    A change waits while the answer before it on the same lead is being carried out, so changes that were read together count like
    changes that were read one by one.
    """
    moved, after = 0, None
    waiting_leads: set[int] = set()
    while page := await box.read(lambda session, now, after=after: crm_changes.waiting(session, after=after, limit=PAGE)):  # type: ignore[misc]
        ids = [(row.id, row.lead_id) for row in page]
        after = (page[-1].at, page[-1].id)
        for start in range(0, len(ids), AT_ONCE):
            few = [ident for ident, lead_id in ids[start : start + AT_ONCE] if lead_id not in waiting_leads]
            taken, behind = await box.write(lambda session, now, few=few: _take_few(session, few, now))  # type: ignore[misc]
            moved += taken
            waiting_leads |= behind
        if len(page) < PAGE:
            break
    return moved


async def read_if_asked(box: Toolbox) -> int:
    """Reads the CRM now if a webhook asked for it; returns how many changes there were."""
    asked = await box.read(lambda session, now: session.execute(crm_changes.asked_query()).scalar())
    if not asked:
        return 0
    count = await read_crm(box)
    await box.write(lambda session, now: crm_changes.was_read(session, asked))
    return count


def read_soon(session: Session, *, now: datetime) -> None:
    """Asks the clock to read the CRM at its next tick. A webhook of the CRM does no more than this: the reading finds what changed.

    Call inside a write transaction. Many calls are one reading.
    """
    crm_changes.ask_to_read(session, now=now)


def _reached(session: Session, now: datetime) -> str:
    row = session.get(Bookmark, BOOKMARK, with_for_update=True)
    return row.value if row else ""


def _store_few(session: Session, changes: Sequence[Change], now: datetime, *, at: str, to: str) -> int | None:
    """Stores those of these changes that are new; returns how many. None, with nothing stored, if another process moved the bookmark."""
    if _reached(session, now) != at:
        return None
    new = crm_changes.store(session, changes, now=now)
    crm_changes.forget(session, now=now)
    session.merge(Bookmark(name=BOOKMARK, value=to))
    return new


def _within_bounds(change: Change) -> Change:
    """The change with its texts cut to the allowed length. A longer text is no owner and no status; the rest of the change counts."""
    values = dict(list(change.values.items())[:MAX_FIELDS])
    cut = {storable(name[:MAX_SHORT]): storable(value[:MAX_SHORT]) for name, value in values.items()}
    return replace(change, by=storable(change.by[:MAX_SHORT]), values=cut)


def _take_few(session: Session, ids: Sequence[str], now: datetime) -> tuple[int, set[int]]:
    """Takes these changes. Returns how many, and the leads whose changes wait."""
    taken, behind = 0, set[int]()
    for ident in ids:
        row = crm_changes.locked(session, ident)
        if row is None or row.lead_id in behind:
            continue
        try:
            with session.begin_nested():
                done = _take(session, row, now)
        except Exception:
            log.exception("change %s in the CRM could not be taken", ident)
            done = True
        if done:
            crm_changes.taken(session, row, now=now)
            taken += 1
        else:
            behind.add(row.lead_id)
    return taken, behind


#: What is done with each kind of change. False: the change waits for what has begun.
_TAKERS: Mapping[CrmChangeKind, Callable[[Place], bool | None]] = {
    "fields": take_fields,
    "touch": take_touch,
    "opportunity": take_opportunity,
    "converted": take_converted,
    "merged": take_merged,
    "gone": take_gone,
}


def _take(session: Session, row: CrmChange, now: datetime) -> bool:
    """Takes one change; False if it has to wait for what is being carried out on its lead."""
    place = place_of(session, row, now=now)
    if place is None:
        if row.kind in ABOUT_OPPORTUNITIES:
            keep_without_lead(session, row, now=now)
        return True
    may_wait = now < row.read_at + LONGEST_WAIT
    if place.is_moving and may_wait:
        return False
    taker = _TAKERS.get(row.kind)
    return taker is None or taker(place) is not False or not may_wait
