"""Reads a CSV file as leads and bad rows. This module judges what the file says; it stores nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from agreements.lead import FieldValue, IncomingLead, mail_key
from app.csv_import.lead_map import FACTS, LeadMap, UnreadableFile, read_map, zone_of
from app.csv_import.rows import Lines, Row, header_of, rows

__all__ = ["BadRow", "IncomingRow", "LeadMap", "ReadLeads", "UnreadableFile", "read_leads", "read_map"]

YEARS_BACK, YEARS_AHEAD = 50, 10

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,10})?", re.ASCII)
_MAYBE_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)
_WORDS = {
    "missing": "is empty: give every lead its own id",
    "bool_parsing": "is neither true nor false: write one of the two",
    "string_too_long": "is too long: a message holds 10,000 characters, every other fact 200",
}


@dataclass(frozen=True, slots=True)
class IncomingRow:
    """A good row: the line on which it begins (the file's first is 1), and its lead with instants in UTC."""

    line: int
    lead: IncomingLead


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken in: the line on which it begins, and a reason that names the column and says what to do."""

    line: int
    reason: str


@dataclass(slots=True)
class ReadLeads:
    """The content of a file, in its order. ignored_columns: those from which nothing is read."""

    rows: list[IncomingRow] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    ignored_columns: tuple[str, ...] = ()


def read_leads(path: Path, *, mapping: LeadMap | None, timezone: str = "UTC", limit: int | None = None, today: datetime) -> ReadLeads:
    """Return every row of a CSV file as a lead or as a bad row. Stores nothing.

    timezone: of dates without a zone, unless the map names one. A skipped local time moves forward, a repeated one is the first, a
    date alone is 09:00. limit: reading stops after so many good rows. today: a date more than 50 years before or 10 after its
    year is a slip. Without a map, columns have the names of IncomingLead's facts, or `fields.NAME`. A header without rows is one
    bad row. Raises UnreadableFile for a file that cannot be used as a whole.
    """
    try:
        zone = zone_of((mapping.timezone if mapping else "") or timezone)
    except ValueError as error:
        raise UnreadableFile(str(error)) from error
    try:
        # A byte that is not UTF-8 becomes a lone surrogate, which shows the line that holds the byte.
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            return _read(Lines(file, str(path)), mapping, zone, limit, today)
    except OSError as error:
        raise _unreadable(path, error) from error


def header_in(path: Path) -> tuple[str, ...]:
    """Return the names of a file's columns. Raises UnreadableFile for a file without any."""
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            return header_of(Lines(file, str(path)))[1]
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> UnreadableFile:
    return UnreadableFile(f"{path}: {error.strerror or error}; name a CSV file that can be read")


def _read(lines: Lines, mapping: LeadMap | None, zone: ZoneInfo, limit: int | None, today: datetime) -> ReadLeads:
    delimiter, header = header_of(lines)
    columns = columns_of(header, mapping, lines.name)
    used = {column.index for column in columns}
    read = ReadLeads(ignored_columns=tuple(name for index, name in enumerate(header) if name and index not in used))
    judge = RowJudge(columns, constants_of(mapping), zone, today.year)
    for row in rows(lines, delimiter, len(header)):
        if limit is not None and len(read.rows) >= limit:
            break
        try:
            read.rows.append(IncomingRow(row.line, judge.lead(row)))
        except BadLead as error:
            read.bad.append(BadRow(row.line, str(error)))
    else:
        if not read.rows and not read.bad:
            read.bad.append(BadRow(1, "the file holds a header and no rows: there is nothing to import"))
    return read


class BadLead(Exception):
    """The row is not a lead; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's cells go: to a fact of the lead, or to a field of the agreement.

    numbers, for a field: empty where cells stay text, "plain" where texts that look like plain numbers become numbers, else the
    decimal sign of a column in which everything must be a number.
    """

    index: int
    name: str
    target: str
    is_field: bool = False
    values: Mapping[str, FieldValue] = field(default_factory=dict)
    numbers: Literal["", "plain", ".", ","] = ""

    def meaning(self, cell: str, zone: ZoneInfo, year: int) -> FieldValue | datetime:
        """Return what this cell says, None for nothing. Raises ValueError that says what to write instead."""
        value = self.values.get(cell, cell or None)
        if not isinstance(value, str):
            return value
        if self.is_field:
            return _number_or_text(value) if self.numbers == "plain" else _number(value, sign=self.numbers) if self.numbers else value
        return instant(value, zone, year) if self.target in ("at", "requested_time") else value


def columns_of(header: tuple[str, ...], mapping: LeadMap | None, file: str) -> list[Column]:
    """Return what the columns of this header mean. file: its name in errors. Raises UnreadableFile for a column that cannot be used."""
    return _mapped(header, mapping, file) if mapping else _named(header, file)


def constants_of(mapping: LeadMap | None) -> Mapping[str, FieldValue]:
    """Return the facts that are the same for every row."""
    return {"source": mapping.source, **mapping.constants} if mapping else {"source": "csv"}


def _named(header: tuple[str, ...], file: str) -> list[Column]:
    _refuse_missing(header, ["source_id"], file)
    columns = [Column(index, name, name) for index, name in enumerate(header) if name in FACTS]
    fields = [(index, name, name.removeprefix("fields.")) for index, name in enumerate(header) if name.startswith("fields.")]
    return columns + [Column(index, name, target, is_field=True, numbers="plain") for index, name, target in fields if target]


def _mapped(header: tuple[str, ...], mapping: LeadMap, file: str) -> list[Column]:
    _refuse_missing(header, [*mapping.columns.values(), *mapping.fields.values()], file)
    numbers = dict.fromkeys(mapping.number_fields, mapping.decimal_sign)
    return [Column(header.index(name), name, target, values=mapping.values.get(target, {})) for target, name in mapping.columns.items()] + [
        Column(header.index(name), name, target, True, mapping.values.get(target, {}), numbers.get(target, ""))
        for target, name in mapping.fields.items()
    ]


def _refuse_missing(header: tuple[str, ...], wanted: list[str], file: str) -> None:
    twins = sorted({name for name in header if name and header.count(name) > 1})
    if twins:
        raise UnreadableFile(f"{file}: several columns have the same name: {_listed(twins)}; give each column its own name")
    missing = [name for name in dict.fromkeys(wanted) if name not in header]
    if missing:
        raise UnreadableFile(
            f"{file}: these columns are missing: {_listed(missing)}; there are: {_listed(header)}. Rename the columns, or write"
            " their meaning into a map, such as `columns: {source_id: id, email: mail}`, and name the map with --map"
        )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:30] if name)
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown


class RowJudge:
    """Turns rows into leads, and remembers them, so that no lead is read twice."""

    def __init__(self, columns: list[Column], constants: Mapping[str, FieldValue], zone: ZoneInfo, year: int) -> None:
        self._columns, self._constants, self._zone, self._year = columns, constants, zone, year
        self._names = {("fields", column.target) if column.is_field else (column.target,): column.name for column in columns}
        self._lines: dict[tuple[str, str, str], int] = {}
        self._people: dict[tuple[str, str], tuple[int, str]] = {}

    def lead(self, row: Row) -> IncomingLead:
        """Return the lead in this row. Raises BadLead with every mistake in the row."""
        if row.problem:
            raise BadLead(row.problem)
        lead = self.validated(row)
        self._refuse_twin(lead, row.line)
        return lead

    def validated(self, row: Row) -> IncomingLead:
        """Return the lead of a row without a mistake, even if the file has it twice. Raises BadLead as above."""
        facts: dict[str, Any] = dict(self._constants)
        fields: dict[str, Any] = {}
        problems = []
        for column in self._columns:
            try:
                value = column.meaning(row.cells[column.index], self._zone, self._year)
            except ValueError as error:
                problems.append(f"{column.name}: {error}")
                continue
            if value is not None:
                (fields if column.is_field else facts)[column.target] = value
        try:
            lead = IncomingLead.model_validate({**facts, "fields": fields})
        except ValidationError as error:
            problems += [self._told(one["loc"], one["type"], one["msg"]) for one in error.errors(include_url=False)]
        if problems:
            raise BadLead("; ".join(problems))
        return lead

    def name_of(self, fact: str) -> str:
        """Return the name of this fact's column in the file."""
        return self._names[(fact,)]

    def _told(self, where: tuple[Any, ...], kind: str, what: str) -> str:
        name = self._names.get(where[:2]) or self._names.get(where[:1]) or ".".join(map(str, where))
        return f"{name}: {_WORDS.get(kind) or what.removeprefix('Value error, ')}"

    def _refuse_twin(self, lead: IncomingLead, line: int) -> None:
        name = self.name_of("source_id")
        who, person = (lead.source, lead.source_id), mail_key(lead.email)
        first = self._lines.setdefault((*who, lead.key_of_conversion()), line)
        if first != line:
            raise BadLead(stands_already(name, first))
        known_line, known = self._people.setdefault(who, (line, person))
        if person and known and person != known:
            raise BadLead(other_person(name, known_line))
        if person and not known:
            self._people[who] = (line, person)


def stands_already(column: str, line: int) -> str:
    """Say what is wrong with a row whose conversion is in another row. column: that of the id; line: where the other begins."""
    return f"{column}: is already on line {line} with the same conversion: leave one out, or give them different ids"


def other_person(column: str, line: int) -> str:
    """Say what is wrong with a row that gives one person's id to another."""
    return f"{column}: is already on line {line} for another e-mail address: give each person their own id"


def instant(text: str, zone: ZoneInfo, year: int) -> datetime:
    """Return the instant in this text, in UTC. year: the present one. Raises ValueError that says what to write instead."""
    found = _DATE.fullmatch(text)
    try:
        day, clock, offset = found.groups() if found else ("", "", "")
        at = datetime.fromisoformat(f"{day}T{clock or '09:00'}{offset or ''}")
    except ValueError:
        raise ValueError(f"{text[:40]!r} is no date: write it as 2027-01-15 or 2027-01-15 18:40") from None
    if not year - YEARS_BACK <= at.year <= year + YEARS_AHEAD:
        raise ValueError(f"{text[:40]!r} is more than {YEARS_BACK} years ago or {YEARS_AHEAD} ahead: correct the date")
    return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)


def _number_or_text(text: str) -> FieldValue:
    if not _NUMBER.fullmatch(text) or _MAYBE_THOUSANDS.fullmatch(text):
        return text
    return float(text) if "." in text else int(text)


def _number(text: str, *, sign: str) -> FieldValue:
    other = "," if sign == "." else "."
    grouped = rf"-?(?:\d{{1,15}}|\d{{1,3}}(?:[{other} \u00a0\u202f]\d{{3}}){{1,4}})(?:{re.escape(sign)}\d{{1,10}})?"
    if not re.fullmatch(grouped, text, re.ASCII):
        raise ValueError(f"{text[:40]!r} is no number: write it as 1250 or 12{sign}5")
    plain = re.sub(r"[^0-9.\-]", "", text.replace(other, "").replace(sign, "."))
    return float(plain) if "." in plain else int(plain)
