"""What the columns of a CSV file mean: which fact of a lead, or which field of the agreement, their cells give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from agreements.lead import FieldValue
from app.csv_import.cells import TIMES, Numbers, Plain, instant, is_day, number_in, plain_forms
from app.csv_import.lead_map import FACTS, LeadMap, UnreadableFile

_REMEDY = (
    "Rename the columns, or write their meaning into a map, such as `columns: {source_id: id, email: mail}`, and name the map with --map"
)


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's cells go: to a fact of the lead, or to a field of the agreement.

    values: what cells mean that the map names. numbers, for a field: empty where cells stay text, "plain" where texts that look
    like plain numbers become numbers, else the decimal sign of a column in which everything must be a number.
    """

    index: int
    name: str
    target: str
    is_field: bool = False
    values: Mapping[str, FieldValue] = field(default_factory=dict)
    numbers: Numbers = ""

    def meaning(self, cell: str, zone: ZoneInfo, year: int) -> FieldValue | datetime:
        """Return what this cell says, None for nothing. Raises ValueError that says what to write instead."""
        value = self.translated(cell)
        if not isinstance(value, str):
            return value
        if self.is_field:
            return number_in(value, self.numbers)
        return instant(value, zone, year) if self.target in TIMES else value

    def translated(self, cell: str) -> FieldValue:
        """Return the cell as the map translates it, None for an empty one."""
        return self.values.get(cell, cell or None)

    def gives_day(self, cell: str) -> bool:
        """Whether a cell of a time gives only the day."""
        return is_day(str(self.translated(cell) or ""))

    @property
    def plain(self) -> tuple[Plain, ...]:
        """Return the forms of cells whose value is their text, except for cells that the map names."""
        return plain_forms(self.target, is_field=self.is_field, numbers=self.numbers)


def columns_of(header: tuple[str, ...], mapping: LeadMap | None, file: str) -> list[Column]:
    """Return what the columns of this header mean. file: its name in errors. Raises UnreadableFile for a column that cannot be used.

    Without a map, columns have the names of IncomingLead's facts, or `fields.NAME`.
    """
    return _mapped(header, mapping, file) if mapping else _named(header, file)


def ignored_columns(header: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of the columns from which nothing is read."""
    used = {column.index for column in columns}
    return tuple(name for index, name in enumerate(header) if name and index not in used)


def constants_of(mapping: LeadMap | None) -> Mapping[str, FieldValue]:
    """Return the facts that are the same for every row."""
    return {"source": mapping.source, **mapping.constants} if mapping else {"source": "csv"}


def _named(header: tuple[str, ...], file: str) -> list[Column]:
    refuse_missing(header, ["source_id"], file, remedy=_REMEDY)
    columns = [Column(index, name, name) for index, name in enumerate(header) if name in FACTS]
    fields = [(index, name, name.removeprefix("fields.")) for index, name in enumerate(header) if name.startswith("fields.")]
    return columns + [Column(index, name, target, is_field=True, numbers="plain") for index, name, target in fields if target]


def _mapped(header: tuple[str, ...], mapping: LeadMap, file: str) -> list[Column]:
    refuse_missing(header, [*mapping.columns.values(), *mapping.fields.values()], file, remedy=_REMEDY)
    numbers = dict.fromkeys(mapping.number_fields, mapping.decimal_sign)
    return [Column(header.index(name), name, target, values=mapping.values.get(target, {})) for target, name in mapping.columns.items()] + [
        Column(header.index(name), name, target, True, mapping.values.get(target, {}), numbers.get(target, ""))
        for target, name in mapping.fields.items()
    ]


def refuse_missing(header: Sequence[str], wanted: Sequence[str], file: str, *, remedy: str) -> None:
    """Raise UnreadableFile where two columns have one name, or where a wanted column is missing. remedy: what to do then."""
    twins = sorted({name for name in header if name and header.count(name) > 1})
    if twins:
        raise UnreadableFile(f"{file}: several columns have the same name: {_listed(twins)}; give each column its own name")
    missing = [name for name in dict.fromkeys(wanted) if name not in header]
    if missing:
        raise UnreadableFile(f"{file}: these columns are missing: {_listed(missing)}; there are: {_listed(header)}. {remedy}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:30] if name)
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown
