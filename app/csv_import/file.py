"""Reads a CSV file as leads and bad rows, row by row. This module stores nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from agreements.identity import Who
from agreements.lead import IncomingLead
from app.csv_import.columns import ignored_columns, wanted_columns
from app.csv_import.errors import UnreadableFile
from app.csv_import.lead_map import LeadMap, read_map, zone_of_file
from app.csv_import.row_judge import NO_ROWS, BadLead, BadRow, RowJudge, Twins
from app.csv_import.rows import Row
from app.csv_import.table_text import TableText, open_table

__all__ = ["BadRow", "IncomingRow", "LeadMap", "ReadLeads", "UnreadableFile", "read_leads", "read_map"]


@dataclass(frozen=True, slots=True)
class IncomingRow:
    """A good row: the line on which it begins (the file's first is 1), and its lead with instants in UTC."""

    line: int
    lead: IncomingLead


@dataclass(slots=True)
class ReadLeads:
    """The content of a file, in its order. ignored_columns: those from which nothing is read. left_out: lines above the header and
    below the rows, in words."""

    rows: list[IncomingRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def read_leads(
    path: Path, *, mapping: LeadMap | None, timezone: str = "UTC", limit: int | None = None, today: datetime, encoding: str = ""
) -> ReadLeads:
    """Return every row of a CSV file as a lead or as a bad row. Stores nothing.

    timezone: of dates without a zone, unless the map names one. A skipped local time moves forward, a repeated one is the first, a
    date alone is 09:00. limit: reading stops after so many good rows. today: a date more than 50 years before or 10 after its
    year is a slip. encoding: of the file; empty for what the map says, else UTF-8. Without a map, columns have the names of
    IncomingLead's facts, or `fields.NAME`. A header without rows is one bad row. Raises UnreadableFile for a file that cannot be
    used as a whole.
    """
    zone = zone_of_file(mapping, timezone)
    table = open_leads(path, mapping, encoding)
    judge = RowJudge.of(table.header, mapping, zone=zone, today=today, file=table.name)
    read = ReadLeads(ignored_columns=ignored_columns(table.header, judge.columns), left_out=table.left_out)
    _read(table.rows(), judge, limit, into=read)
    return read


def open_leads(path: Path, mapping: LeadMap | None, encoding: str = "") -> TableText:
    """Return the table in a file of leads. encoding: of the file, empty for what the map says. Raises UnreadableFile."""
    return open_table(path, encoding=encoding or (mapping.encoding if mapping else ""), wanted=wanted_columns(mapping))


def header_in(path: Path, *, encoding: str = "", wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the names of a file's columns. wanted: those that somebody needs. Raises UnreadableFile for a file without any."""
    return open_table(path, encoding=encoding, wanted=wanted).header


def _read(found: Iterator[Row], judge: RowJudge, limit: int | None, *, into: ReadLeads) -> None:
    twins = Twins(judge.id_column)
    # The limit is looked at before the next row is read: nothing behind the last good row is judged, not even its encoding.
    while (limit is None or len(into.rows) < limit) and (row := next(found, None)):
        try:
            lead = judge.lead(row)
        except BadLead as error:
            into.bad.append(BadRow(row.line, str(error)))
            continue
        who = Who(lead.email, lead.first_name, lead.last_name)
        if problem := twins.judge((lead.source, lead.source_id), who, lead.key_of_conversion(), row.line)[1]:
            into.bad.append(BadRow(row.line, problem))
        else:
            into.rows.append(IncomingRow(row.line, lead))
    if not into.rows and not into.bad and limit != 0:
        into.bad.append(NO_ROWS)
