"""Imports read rows: several in one transaction where all is well, one by one where not."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from agreements.slips import unlikely_request
from app.csv_import.file import BadRow, IncomingRow, ReadLeads
from storage import activities, contracts, identity, roster
from storage.database import ROWS_AT_ONCE
from tasks import intake, newcomers
from tasks.intake import TakenAs
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.import")
#: An imported lead changes about ten rows of the database. A lead who moved to another company changes a few more.
ROWS_A_TRANSACTION = ROWS_AT_ONCE // 13
#: How many rows are looked at together, at least and at most. Newcomers among them are stored in one transaction.
FEWEST_TOGETHER, ROWS_TOGETHER = 5, 50
#: A transaction of newcomers shall hold the write lock for about so long; slower machines take fewer rows at once.
HOLD_SECONDS = 0.02
#: Between two transactions, others get the write lock: they try again every half a millisecond.
GAP_SECONDS = 0.002
#: Zones are easily mixed up, so times a little ahead are allowed; capture then takes the present instead.
AHEAD_AT_MOST = timedelta(days=1)


@dataclass(slots=True)
class ImportResult:
    """What became of the rows: numbers of new leads (or ones that came back), of activities added to known leads, of known people
    under a new id, and of rows that Baton had already; and the bad rows, by line."""

    new: int = 0
    activity: int = 0
    merged: int = 0
    repeated: int = 0
    bad: list[BadRow] = field(default_factory=list)

    def count(self, outcome: TakenAs | BadRow) -> None:
        """Add what became of one row."""
        if isinstance(outcome, BadRow):
            self.bad.append(outcome)
        else:
            setattr(self, outcome, getattr(self, outcome) + 1)


def import_leads(box: Toolbox, read: ReadLeads, *, hold: bool, actor: str, progress: Callable[[int], None] | None = None) -> ImportResult:
    """Import the good rows in their order and pass the bad ones on. A row goes in whole or not at all.

    hold: store the leads, but start nothing. actor: who imports, for the trail. progress: called after each transaction with how
    many more rows are done. A row that cannot be stored becomes a bad one, and the others go in. Raises OperationalError where
    the database itself fails: rows stored before that stay, and a second import of the same rows adds only the rest.
    """
    box.read_now(_read_agreements)
    result, pace, start = ImportResult(bad=list(read.bad)), _Pace(), 0
    while batch := read.rows[start : start + pace.rows]:
        rest = _take_newcomers(box, batch, pace, hold=hold, actor=actor)
        result.new += len(batch) - len(rest)
        for first in range(0, len(rest), ROWS_A_TRANSACTION):
            for outcome in _take_batch(box, rest[first : first + ROWS_A_TRANSACTION], hold=hold, actor=actor):
                result.count(outcome)
            time.sleep(GAP_SECONDS)
        start += len(batch)
        if progress:
            progress(len(batch))
    result.bad.sort(key=lambda bad: bad.line)
    return result


def keep_for_good() -> None:
    """Exempt everything that is in memory from garbage collection. For a command that reads a file and then ends.

    A collection that looks at 100,000 rows takes longer than a transaction may, and it can come inside one.
    """
    gc.collect()
    gc.freeze()


def _read_agreements(session: Session, now: datetime) -> None:
    """Read the versions that may be in force before the first row: to parse one takes longer than a transaction may."""
    for row in contracts.counting(session, now):
        contracts.read(row)


@dataclass(slots=True)
class _Pace:
    """How many rows are taken together, by how long the last ones held the write lock."""

    rows: int = 10

    def took(self, seconds: float, rows: int) -> None:
        """Take note of a transaction with so many newcomers."""
        fitting = int(rows * HOLD_SECONDS / max(seconds, 0.000_1))
        self.rows = max(FEWEST_TOGETHER, min(fitting, 2 * self.rows, ROWS_TOGETHER))


def _take_newcomers(box: Toolbox, batch: Sequence[IncomingRow], pace: _Pace, *, hold: bool, actor: str) -> list[IncomingRow]:
    """Store the people of these rows whom nobody knows, and return the other rows; all of them where one cannot be stored."""
    began = time.monotonic()

    def work(session: Session, now: datetime) -> list[IncomingRow]:
        nonlocal began
        began = time.monotonic()
        inquiries = [activities.as_row(row.lead) for row in batch]
        identity.reserve(session, inquiries)
        good = [_refused(session, row, now) is None for row in batch]
        new = [known and one for known, one in zip(good, newcomers.those(session, inquiries), strict=True)]
        if any(new):
            several = [one for one, is_new in zip(inquiries, new, strict=True) if is_new]
            newcomers.take_in(session, several, now=now, actor=actor, hold=hold)
        return [row for row, is_new in zip(batch, new, strict=True) if not is_new]

    try:
        rest = box.write_now(work)
    except Exception:  # row by row shows which one it is, and what is wrong with it
        log.debug("%d rows are taken in one by one", len(batch), exc_info=True)
        return list(batch)
    if taken := len(batch) - len(rest):
        pace.took(time.monotonic() - began, taken)
    time.sleep(GAP_SECONDS)
    return rest


def _take_batch(box: Toolbox, batch: Sequence[IncomingRow], *, hold: bool, actor: str) -> list[TakenAs | BadRow]:
    def work(session: Session, now: datetime) -> list[TakenAs | BadRow]:
        identity.reserve(session, [row.lead for row in batch])
        return [_take(session, row, now, hold=hold, actor=actor) for row in batch]

    try:
        return identity.again_if_taken(lambda: box.write_now(work))
    except Exception as error:
        if len(batch) > 1:
            return [outcome for row in batch for outcome in _take_batch(box, [row], hold=hold, actor=actor)]
        if isinstance(error, OperationalError):
            raise
        log.warning("the row on line %s could not be stored", batch[0].line, exc_info=error)
        return [BadRow(batch[0].line, f"could not be stored ({_said(error)}): correct it and take the file in again")]


def _take(session: Session, row: IncomingRow, now: datetime, *, hold: bool, actor: str) -> TakenAs | BadRow:
    if bad := _refused(session, row, now):
        return bad
    return intake.capture(session, activities.as_row(row.lead), now=now, actor=actor, hold=hold, reserved=True).kind


def _refused(session: Session, row: IncomingRow, now: datetime) -> BadRow | None:
    at = row.lead.at
    if at is not None and at > now + AHEAD_AT_MOST:
        return BadRow(row.line, f"at: {at:%Y-%m-%d %H:%M} UTC has not come yet: correct the date, or the time zone it is meant in")
    if at is None and (problem := unlikely_request(row.lead.requested_time, asked_at=now)):
        return BadRow(row.line, f"requested_time: {problem}")
    if problem := roster.not_a_rep(session, row.lead.sales_sourced_by):
        return BadRow(row.line, f"sales_sourced_by: {problem}")
    return None


def _said(error: Exception) -> str:
    # A database error quotes the whole statement, and the lead's data with it.
    words = str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]
    return f"{type(error).__name__}: {words[:200]}" if words else type(error).__name__
