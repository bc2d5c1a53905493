"""What the columns of a CSV file mean: which fact of a lead, or which field of the agreement, their cells give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from agreements.lead import FieldValue
from app.csv_import.cells import TIMES, Numbers, Plain, instant, is_day, number_in, plain_forms
from app.csv_import.dates import Dates
from app.csv_import.errors import UnreadableFile
from app.csv_import.lead_map import FACTS, LeadMap
from app.csv_import.table_text import place_of

_REMEDY = (
    "Rename the columns, or write their meaning into a map, such as `columns: {source_id: id, email: mail}`, and name the map with --map"
)


@dataclass(frozen=True, slots=True)
class Column:
    """Where a column's cells go: to a fact of the lead, or to a field of the agreement.

    values: what cells mean that the map names. numbers, for a field: empty where cells stay text, "plain" where texts that look
    like plain numbers become numbers, else the decimal sign of a column in which everything must be a number. dates: how the file
    writes the dates of a time. prefix: what the file writes in front of each cell.
    """

    index: int
    name: str
    target: str
    is_field: bool = False
    values: Mapping[str, FieldValue] = field(default_factory=dict)
    numbers: Numbers = ""
    dates: Dates = Dates()
    prefix: str = ""

    def meaning(self, cell: str, zone: ZoneInfo, year: int) -> FieldValue | datetime:
        """Return what this cell says, None for nothing. Raises ValueError that says what to write instead."""
        value = self.translated(cell)
        if not isinstance(value, str):
            return value
        if self.is_field:
            return number_in(value, self.numbers)
        return instant(value, zone, year, self.dates) if self.target in TIMES else value

    def translated(self, cell: str) -> FieldValue:
        """Return the cell as the map translates it, None for an empty one."""
        cell = cell.removeprefix(self.prefix) if self.prefix else cell
        return self.values.get(cell, cell or None)

    def gives_day(self, cell: str) -> bool:
        """Whether a cell of a time gives only the day."""
        try:
            return is_day(self.dates.iso(str(self.translated(cell) or "")))
        except ValueError:
            return False

    @property
    def plain(self) -> tuple[Plain, ...]:
        """Return the forms of cells whose value is their text, except for cells that the map names."""
        return () if self.prefix else plain_forms(self.target, is_field=self.is_field, numbers=self.numbers)


def columns_of(header: tuple[str, ...], mapping: LeadMap | None, file: str) -> list[Column]:
    """Return what the columns of this header mean. file: its name in errors. Raises UnreadableFile for a column that cannot be used.

    Without a map, columns have the names of IncomingLead's facts, or `fields.NAME`.
    """
    return _mapped(header, mapping, file) if mapping else _named(header, file)


def ignored_columns(header: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """Return the names of the columns from which nothing is read."""
    used = {column.index for column in columns}
    return tuple(dict.fromkeys(name for index, name in enumerate(header) if name and index not in used))


def constants_of(mapping: LeadMap | None) -> Mapping[str, FieldValue]:
    """Return the facts that are the same for every row."""
    return {"source": mapping.source, **mapping.constants} if mapping else {"source": "csv"}


def wanted_columns(mapping: LeadMap | None) -> tuple[str, ...]:
    """Return the names of the columns that a file of leads must have."""
    if mapping is None:
        return ("source_id",)
    both = (*mapping.columns.items(), *mapping.fields.items())
    return tuple(dict.fromkeys(name for target, name in both if target not in mapping.optional))


def _named(header: tuple[str, ...], file: str) -> list[Column]:
    known = [name for name in header if name in FACTS or name.removeprefix("fields.") != name]
    refuse_missing(header, ["source_id"], file, remedy=_REMEDY, also=known)
    columns = [Column(index, name, name) for index, name in enumerate(header) if name in FACTS]
    fields = [(index, name, name.removeprefix("fields.")) for index, name in enumerate(header) if name.startswith("fields.")]
    return columns + [Column(index, name, target, is_field=True, numbers="plain") for index, name, target in fields if target]


def _mapped(header: tuple[str, ...], mapping: LeadMap, file: str) -> list[Column]:
    refuse_missing(header, wanted_columns(mapping), file, remedy=_REMEDY, also=(*mapping.columns.values(), *mapping.fields.values()))
    numbers: dict[str, Numbers] = dict.fromkeys(mapping.number_fields, mapping.decimal_sign)
    found = []
    for is_field, named in ((False, mapping.columns), (True, mapping.fields)):
        for target, name in named.items():
            if places := place_of(header, name):
                values, prefix = mapping.values.get(target, {}), mapping.prefixes.get(target, "")
                dates = mapping.dates_of(target)
                sign: Numbers = numbers.get(target, "") if is_field else ""
                found.append(Column(places[0], header[places[0]], target, is_field, values, sign, dates, prefix))
    return found


def refuse_missing(header: Sequence[str], wanted: Sequence[str], file: str, *, remedy: str, also: Sequence[str] = ()) -> None:
    """Raise UnreadableFile where a wanted column is missing, or where several columns have its name. remedy: what to do then.

    also: columns that may be missing. Several columns of a name that nobody needs do no harm.
    """
    twins = sorted({name for name in (*wanted, *also) if len(place_of(header, name)) > 1})
    if twins:
        raise UnreadableFile(f"{file}: several columns have the same name: {_listed(twins)}; give each column its own name")
    missing = [name for name in dict.fromkeys(wanted) if not place_of(header, name)]
    if missing:
        raise UnreadableFile(f"{file}: these columns are missing: {_listed(missing)}; there are: {_listed(header)}. {remedy}")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:30] if name)
    return f"{shown} and {len(names) - 30} more" if len(names) > 30 else shown
