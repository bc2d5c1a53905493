"""Decides what a row of a CSV file is: a lead, or a bad row with its reason. The import and the backtest both ask here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from agreements.identity import Who, learned, place
from agreements.lead import FieldValue, IncomingLead
from app.csv_import.columns import Column, columns_of, constants_of
from app.csv_import.lead_map import LeadMap
from app.csv_import.rows import Row

_WORDS = {
    "missing": "is empty: give every lead its own id",
    "bool_parsing": "is neither true nor false: write one of the two",
    "string_too_long": "is too long: a message holds 10,000 characters, every other fact 200",
}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be taken in: the line on which it begins, and a reason that names the column and says what to do."""

    line: int
    reason: str


#: The one bad row of a file that holds a header and no other row.
NO_ROWS = BadRow(1, "the file holds a header and no rows: there is nothing to import")


class BadLead(Exception):
    """The row is not a lead; the message is the reason."""


class RowJudge:
    """Turns the rows of one file into leads.

    columns, constants: what the columns mean, and the facts that are the same for every row. zone: of times without a zone.
    year: the present one.
    """

    def __init__(self, columns: list[Column], constants: Mapping[str, FieldValue], zone: ZoneInfo, year: int) -> None:
        self.columns, self.constants, self.zone, self.year = columns, constants, zone, year
        self._names = {("fields", column.target) if column.is_field else (column.target,): column.name for column in columns}

    @classmethod
    def of(cls, header: tuple[str, ...], mapping: LeadMap | None, *, zone: ZoneInfo, today: datetime, file: str) -> RowJudge:
        """Return the judge of the rows below this header. Raises UnreadableFile for a column that cannot be used."""
        return cls(columns_of(header, mapping, file), constants_of(mapping), zone, today.year)

    @property
    def id_column(self) -> str:
        """Return the name of the column that holds the leads' ids."""
        return self._names[("source_id",)]

    def lead(self, row: Row) -> IncomingLead:
        """Return the lead in this row. Raises BadLead with every mistake in the row."""
        if row.problem:
            raise BadLead(row.problem)
        return self._lead(((column, row.cells[column.index]) for column in self.columns), {})

    def silent_lead(self) -> IncomingLead:
        """Return the lead of a row that gives an id and nothing else."""
        return self._lead((), {"source_id": "any"})

    def value(self, column: Column, cell: str) -> FieldValue | datetime:
        """Return what a lead has as the fact of this column if the row has this cell; the rest of the row changes nothing.

        Raises BadLead where such a row is bad.
        """
        lead = self._lead(((column, cell),), {} if column.target == "source_id" and not column.is_field else {"source_id": "any"})
        value: FieldValue | datetime = lead.fields.get(column.target.strip()) if column.is_field else getattr(lead, column.target)
        return value

    def says(self, column: Column, cell: str) -> bool:
        """Whether this cell, which is not wrong, gives a fact."""
        return column.meaning(cell, self.zone, self.year) not in (None, "")

    def _lead(self, cells: Iterable[tuple[Column, str]], facts: dict[str, Any]) -> IncomingLead:
        facts = {**self.constants, **facts}
        fields: dict[str, Any] = {}
        problems = []
        for column, cell in cells:
            try:
                value = column.meaning(cell, self.zone, self.year)
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

    def _told(self, where: tuple[Any, ...], kind: str, what: str) -> str:
        name = self._names.get(where[:2]) or self._names.get(where[:1]) or ".".join(map(str, where))
        return f"{name}: {_WORDS.get(kind) or what.removeprefix('Value error, ')}"


class Twins:
    """Remembers the leads of a file: tells people under one id apart, and refuses a conversion that one of them has already.

    column: that of the id.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._lines: dict[tuple[str, str, int, str], int] = {}
        self._people: dict[tuple[str, str], list[Who]] = {}

    def judge(self, id: tuple[str, str], who: Who, conversion: str, line: int) -> tuple[int, str]:
        """Return which person of this id the row is about, from 0, and what is wrong with the row, empty for nothing.

        Ask once for each good row, in the order of the file. id: source and source id. conversion: by conversion_key. The first of
        several rows with the same conversion counts.
        """
        people = self._people.setdefault(id, [])
        person = place(people, who)
        if person is None:
            person = len(people)
            people.append(who)
        else:
            people[person] = learned(people[person], who)
        first = self._lines.setdefault((*id, person, conversion), line)
        if first == line:
            return person, ""
        return person, f"{self._column}: is already on line {first} with the same conversion: leave one out, or give them different ids"
