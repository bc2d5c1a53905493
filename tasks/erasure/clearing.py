"""Clearing: delete a person's personal data from Baton's database and from the CRM, in short transactions."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlmodel import Session, col, select

from agreements.lifecycle import Stage
from storage import chores, clearing, deliveries, handoffs, leases, scrub, waits, wakes
from storage.clearing import Person
from storage.tables import Assignment, Delivery, DeliveryState, Handoff
from tasks.wiring.toolbox import Toolbox


def end(session: Session, handoff_id: int, *, actor: str, why: str, now: datetime) -> Assignment | None:
    """Ends a handoff that is open or in nurture as erased, and returns the tenure that this ended.

    An attempt that is running can write nothing any more, and queued messages are cancelled. A second call changes nothing.
    """
    handoff = leases.locked(session, handoff_id)
    if not handoffs.is_open(handoff) and handoff.stage != Stage.NURTURING:
        return None
    leases.take_over(session, handoff)
    deliveries.abandon_half_sent(session, handoff, now=now)
    _cancel(session, handoff)
    wakes.drop_all(session, handoff_id)
    waits.close_open(session, handoff, because="erased", now=now)
    tenure = handoffs.end_assignment(session, handoff, because="erased", now=now)
    handoff.held, handoff.reason = False, why
    handoffs.move(session, handoff, "erased", now=now, actor=actor, reason=why)
    return tenure


def _cancel(session: Session, handoff: Handoff) -> None:
    rows = session.exec(select(Delivery).where(Delivery.handoff_id == handoff.id, col(Delivery.state) == DeliveryState.QUEUED))
    for row in rows:
        row.state = DeliveryState.CANCELLED
        session.add(row)


def ask_prefect(session: Session, person: Person, *, now: datetime) -> None:
    """Queues the deletion of this person's data at Prefect. It is carried out once the server can be reached."""
    for lead_id in person.leads:
        runs = session.exec(select(Handoff.flow_run_id).where(Handoff.lead_id == lead_id, Handoff.flow_run_id != "")).all()
        chores.add_lead(session, lead_id, runs, now=now)


async def clear(box: Toolbox, person: Person, note: Callable[[Session, datetime, dict[str, int]], None]) -> Counter[str]:
    """Deletes all personal data of this person; returns how many rows of each kind. None of their handoffs may be open.

    note: called in each transaction with the counts that it deleted, at the end with none. After an interruption, call it again.
    """
    cleared: Counter[str] = Counter()
    if changed := await box.crm.erase(person.leads):
        cleared["rows of the CRM"] = changed

    def some(session: Session, now: datetime) -> dict[str, int]:
        counts = clearing.clear_some(session, person, now=now)
        note(session, now, counts)
        return counts

    while counts := await box.write(some):
        cleared.update(counts)
        box.fault("cleared some")
    return cleared


def files_of(box: Toolbox) -> list[Path]:
    """Return the existing SQLite files of this installation on this machine, Prefect's included."""
    own = make_url(box.database.url).database if box.database.is_sqlite else None
    found = [Path(own)] if own else []
    return [one for one in [*found, *box.crm.files, box.settings.folder / "prefect" / "prefect.db"] if one.exists()]


async def scrub_files(box: Toolbox, words: frozenset[str] | None) -> list[str]:
    """Removes deleted data from the bytes of those files; returns what is left for the operator to do, in sentences.

    words: must not be in the files; None if they are no longer known. The files are then rewritten in any case.
    """
    said = [await asyncio.to_thread(scrub.scrub, path, words) for path in files_of(box)]
    return [one for one in said if one]
