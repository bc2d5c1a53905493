"""Chooses the leads that the demo plays: the rows of a CSV file, each with the instant at which it comes in."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from agreements.model import Agreement
from app import terminal
from app.csv_import.file import IncomingRow, LeadMap, ReadLeads, read_leads

ROOT = Path(__file__).resolve().parents[2]
LEADS = ROOT / "examples" / "leads.csv"
#: How many rows `--quick` plays: the story, and the first morning of the example.
QUICK_ROWS = 14
#: Leads of a file with a longer span come in batches during demo hours, instead of at their own dates.
OWN_DATES_WITHIN = timedelta(days=90)
BATCH, BATCH_EVERY = 8, timedelta(minutes=30)
Timed = list[tuple[datetime, IncomingRow]]


def timed_rows(file: Path, mapping: LeadMap | None, agreement: Agreement, *, limit: int | None, quick: bool) -> Timed:
    """Return the file's good rows, the earliest first. Prints bad rows; a file without a good row ends the command."""
    zone = ZoneInfo(agreement.timezone)
    read = read_leads(file, mapping=mapping, timezone=agreement.timezone, limit=limit, today=datetime.now(zone))
    for bad in read.bad:
        terminal.complaints.print(f"{file}:{bad.line}: {bad.reason}", markup=False)
    if not read.rows:
        terminal.fail(terminal.USAGE, f"{file} has no lead that can be taken in.")
    times = [row.lead.at for row in read.rows if row.lead.at]
    found = _batches(read, agreement, zone)
    if len(times) == len(read.rows) and max(times) - min(times) <= OWN_DATES_WITHIN:
        found = sorted(((row.lead.at, row) for row in read.rows if row.lead.at), key=lambda pair: (pair[0], pair[1].line))
    return found[:QUICK_ROWS] if quick else found


def _batches(read: ReadLeads, agreement: Agreement, zone: ZoneInfo) -> Timed:
    calendar = agreement.calendar()
    start = calendar.next_opening(datetime(2027, 2, 1, 9, tzinfo=zone))
    return [(calendar.add(start, BATCH_EVERY * (number // BATCH)), row) for number, row in enumerate(read.rows)]
