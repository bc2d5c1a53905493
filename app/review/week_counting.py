"""Counts the week so far for the pages of marketing and managers: now and then, in one process at a time, and never for a reader."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from functools import partial

from sqlmodel import Session

from agreements.model import Agreement
from agreements.review.this_week import ThisWeek, read_from, this_week, week_of
from app.review.reading import read
from storage import contracts, week_counts
from tasks.wiring.toolbox import Toolbox

#: A count is followed by a pause of so many times as long as it took, so that it takes a worker a twentieth of its time at most.
RESTS = 20


async def count_weeks(box: Toolbox) -> int:
    """Count the week of each agreement in force whose figures are old; return of how many. One read statement where none is due."""
    counted = 0
    for agreement in await box.read(_due):
        counted += await _count(box, agreement)
    return counted


async def _count(box: Toolbox, agreement: Agreement) -> bool:
    if not await box.write(lambda session, now: week_counts.begin(session, agreement.agreement, now=now)):
        return False
    began = time.monotonic()
    found = await box.read(partial(count_week, agreement))
    pause = pause_after(timedelta(seconds=time.monotonic() - began))
    await box.write(lambda session, now: week_counts.keep(session, found, again_at=now + pause))
    return True


def pause_after(took: timedelta) -> timedelta:
    """Return how long the figures are kept before they are counted again."""
    return max(week_counts.PAUSE, RESTS * took)


def count_week(agreement: Agreement, session: Session, now: datetime) -> ThisWeek:
    """Return the figures of the week so far under the agreement, which is deployed. Reads only. now: aware."""
    week = week_of(agreement, now)
    found = read(session, agreement.agreement, week, lambda *_: None, since=read_from(agreement, week))
    return this_week(found.measured, week, leads=found.time_of_leads, spent=found.time_spent)


def _due(session: Session, now: datetime) -> list[Agreement]:
    known = {row.name: contracts.read(row) for row in contracts.counting(session, now)}
    return [known[name] for name in week_counts.due(session, known, now=now)]
