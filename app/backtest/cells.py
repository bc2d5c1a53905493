"""Turns cells into facts, a whole column at a time. Any row that is not plainly right is left to the reader of single rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import polars as pl

from agreements.backtest.columns import INSTANT
from agreements.lead import ACCOUNT, MAX_FIELDS, MAX_SHORT, MAX_TEXT, FieldValue, IncomingLead, is_within_bounds
from app.backtest.fact_columns import FIELD
from app.backtest.instants import Instants
from app.csv_import.file import Column
from app.csv_import.rows import Row

TIMES = ("at", "requested_time")
#: Addresses that need no closer look: each one is an address by `is_address`, but not every address matches.
PLAIN_ADDRESS = (
    r"^[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@"
    r"(?:[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,2}\.){1,5}[A-Za-z]{2,20}$"
)
#: Domains that no mail reaches.
NO_DOMAIN = r"(?i)[.](?:invalid|localhost|onion|arpa)$"
_YES, _NO = ("true", "1", "yes", "on", "t", "y"), ("false", "0", "no", "off", "f", "n")
_WHOLE = r"^-?(?:0|[1-9][0-9]{0,14})$"
_DECIMAL = r"^-?(?:0|[1-9][0-9]{0,14})\.[0-9]{1,10}$"
_MAYBE_THOUSANDS = r"^-?[1-9][0-9]{0,2}\.[0-9]{3}$"
#: A decimal with more digits, or as close to zero, is not written as it was read.
_DIGITS_AT_MOST = 16
_TINY = r"^-?0\.0000"
_LENGTHS = {"message": MAX_TEXT}
_LENGTH = MAX_SHORT
_FIELDS = MAX_FIELDS


def schema_of(columns: Sequence[Column], constants: Mapping[str, FieldValue]) -> dict[str, Any]:
    """Return the columns of the facts in such a file, and their types; fields of the agreement are text at first.

    `day`: whether `at` was written as a day without a time. `group`: the value of the column that groups the leads, if there is one.
    """
    facts = {"source", "source_id", "conversion_id", "activity", "path", "at", "email", "entry_channel"}
    facts |= constants.keys() | {column.target for column in columns if not column.is_field}
    kinds = {**dict.fromkeys(TIMES, INSTANT), "do_not_contact": pl.Boolean}
    fields = {field_name(column): pl.String for column in columns if column.is_field}
    known = {"line": pl.UInt32, "day": pl.Boolean, "group": pl.String}
    return {**known, **{name: kinds.get(name, pl.String) for name in sorted(facts)}, **fields}


def field_name(column: Column) -> str:
    """Return the column name of an agreement's field, which differs from the facts that every lead has."""
    return FIELD + column.target.strip()


@dataclass(slots=True)
class Kinds:
    """The kinds of values that each field of the agreement was seen to hold."""

    seen: dict[str, set[int]] = field(default_factory=dict)

    def add(self, name: str, *kinds: int) -> None:
        """Record that this field holds such values somewhere."""
        self.seen.setdefault(name, set()).update(kinds)

    def typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the fields as numbers, or as yes and no, where they hold nothing else; as text where kinds are mixed."""
        seen = {name: frozenset(kinds - {_NOTHING}) for name, kinds in self.seen.items() if name in frame.columns}
        types = {name: _TYPES.get(kinds, pl.String) for name, kinds in seen.items()}
        return frame.with_columns(
            (pl.col(name) == "yes") if kind == pl.Boolean else pl.col(name).cast(kind) for name, kind in types.items() if kind != pl.String
        )


_NOTHING, _TEXT, _INT, _FLOAT, _BOOL = range(5)
_KIND_OF: dict[type, int] = {type(None): _NOTHING, str: _TEXT, int: _INT, float: _FLOAT, bool: _BOOL}
_TYPES: dict[frozenset[int], Any] = {
    frozenset({_INT}): pl.Int64,
    frozenset({_FLOAT}): pl.Float64,
    frozenset({_INT, _FLOAT}): pl.Float64,
    frozenset({_BOOL}): pl.Boolean,
}


def text_of(value: FieldValue) -> str | None:
    """Return a field's value as text, None for nothing: a column of mixed kinds holds such texts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and "e" in repr(value):
        return f"{value:.20f}".rstrip("0") if abs(value) < 1 else f"{value:.1f}"
    return None if value is None else str(value)


def column_of(name: str, values: Sequence[FieldValue]) -> pl.Series:
    """Return these values as one column: numbers, or yes and no, where there is nothing else; otherwise text.

    A value larger than a lead may have is unknown, as it is to the rules.
    """
    values = [value if is_within_bounds(value) else None for value in values]
    kinds = frozenset(_KIND_OF[type(value)] for value in values) - {_NOTHING}
    kind = _TYPES.get(kinds, pl.String)
    return pl.Series(name, [text_of(value) for value in values] if kind == pl.String else values, dtype=kind)


@dataclass(slots=True)
class Facts:
    """Reads blocks of cells as facts of leads, and remembers the kinds of values in their fields.

    by: the fact that groups the leads, empty for none; a field of the agreement is a group by itself.
    """

    columns: Sequence[Column]
    constants: Mapping[str, FieldValue]
    instants: Instants
    by: str = ""
    kinds: Kinds = field(default_factory=Kinds)

    @property
    def schema(self) -> dict[str, Any]:
        """Return names and types of the facts."""
        return schema_of(self.columns, self.constants)

    def read(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
        """Return the facts of each row, and which rows are odd: do not use the facts of these."""
        made, odd, kinds = self._defaults(), [self._too_many()], dict[str, pl.Expr]()
        for column in self.columns:
            cell = pl.col(str(column.index))
            if column.is_field:
                text, kind, strange = _field(column, cell)
                made[field_name(column)], kinds[field_name(column)] = text, kind
            elif column.target in TIMES:
                text, strange = _translated(column, cell)
                cells = self._with_times(cells, column.target, text)
                made |= {column.target: pl.coalesce(f"{column.target}.at", made[column.target])}
                made |= {"day": pl.col("at.day")} if column.target == "at" else {}
                odd.append(pl.col(f"{column.target}.odd"))
            else:
                text, strange = _translated(column, cell)
                value, doubtful = _fact(column.target, text)
                made[column.target] = pl.coalesce(value, made[column.target])
                made |= {"group": value.cast(pl.String)} if column.target == self.by else {}
                odd.append(doubtful)
            odd.append(strange)
        found = cells.select(**made, **{f"kind {name}": kind for name, kind in kinds.items()}, odd=pl.any_horizontal(odd).fill_null(False))
        for name in kinds:
            self.kinds.add(name, *found.filter(~pl.col("odd"))[f"kind {name}"].unique().to_list())
        return found.select(pl.col(name).cast(kind) for name, kind in self.schema.items()), found["odd"]

    def _defaults(self) -> dict[str, pl.Expr]:
        plain = IncomingLead.model_validate({**self.constants, "source_id": "any"}).model_dump()
        plain["source_id"] = None
        for name in TIMES:
            plain[name] = plain[name] and plain[name].astimezone(UTC)
        made = {name: pl.lit(plain.get(name), kind) for name, kind in self.schema.items()}
        same = plain.get(self.by) if self.by not in {column.target for column in self.columns} else None
        return made | {"line": pl.col("line"), "day": pl.lit(False), "group": pl.lit(same and str(same), pl.String)}

    def _too_many(self) -> pl.Expr:
        """Find rows with over 100 fields, names that are too long, or a field that only the CRM may tell."""
        fields = [column.target for column in self.columns if column.is_field]
        named = all(name == name.strip() and len(name) <= _LENGTH and not name.startswith(ACCOUNT) for name in fields)
        return pl.lit(not named or len(fields) > _FIELDS)

    def _with_times(self, cells: pl.DataFrame, name: str, text: pl.Expr) -> pl.DataFrame:
        read = self.instants.read(cells.select(text.fill_null("").alias("text"))["text"])
        return cells.hstack(read.rename({one: f"{name}.{one}" for one in read.columns}))

    def of_leads(self, leads: Sequence[tuple[Row, IncomingLead]]) -> pl.DataFrame:
        """Return the same facts for leads that were read singly."""
        for _, lead in leads:
            for name, value in lead.fields.items():
                self.kinds.add(FIELD + name, _KIND_OF[type(value)])
        return pl.DataFrame([self._row(*one) for one in leads], schema=self.schema, orient="row")

    def _row(self, row: Row, lead: IncomingLead) -> tuple[Any, ...]:
        fields = {FIELD + name: text_of(value) for name, value in lead.fields.items()}
        facts = lead.model_dump(exclude={"fields"})
        written = {
            column.target: column.values.get(cell := row.cells[column.index], cell) for column in self.columns if not column.is_field
        }
        known: dict[str, Any] = {**facts, **fields, "line": row.line, "day": len(str(written.get("at", ""))) == len("2027-01-15")}
        if self.by in facts and written.get(self.by, True) not in (None, ""):
            known["group"] = str(facts[self.by])
        return tuple(known.get(name) for name in self.schema)


def _translated(column: Column, cell: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the cell as the map translates it, null for an empty one; and where the translation is not plain text."""
    words = {cell: value for cell, value in column.values.items() if isinstance(value, str) and value.strip()}
    others = [cell for cell, value in column.values.items() if cell not in words]
    text: pl.Expr = pl.when(cell != "").then(cell)
    if words:
        text = cell.replace_strict(list(words), [value.strip() for value in words.values()], default=text, return_dtype=pl.String)
    return text, cell.is_in(others) if others else pl.lit(False)


def _fact(target: str, text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """Return the fact in this text, and where the fact is doubtful."""
    if target == "do_not_contact":
        word = text.str.to_lowercase()
        return word.is_in(_YES), ~word.is_in((*_YES, *_NO))
    if target == "source_id":
        return text, text.is_null() | (text.str.len_chars() > _LENGTH)
    long = text.str.len_chars() > _LENGTHS.get(target, _LENGTH)
    if target == "email":
        return text, long | ~text.str.contains(PLAIN_ADDRESS) | text.str.contains(NO_DOMAIN)
    if target == "country":
        code = text.str.len_chars() == 2
        return pl.when(code).then(text.str.to_uppercase()).otherwise(text), long | (code & (text.str.len_bytes() != 2))
    return text, long


def _field(column: Column, cell: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return a field's value as text, its kind, and where it is doubtful."""
    words = {cell: value for cell, value in column.values.items() if isinstance(value, str)}
    others = {cell: value for cell, value in column.values.items() if not isinstance(value, str)}
    text: pl.Expr = pl.when(cell != "").then(cell)
    if words:
        text = cell.replace_strict(list(words), list(words.values()), default=text, return_dtype=pl.String)
    text, kind, doubtful = _number(column.numbers, text) if column.numbers else (text, pl.lit(_TEXT), pl.lit(False))
    kind = pl.when(text.is_null()).then(_NOTHING).otherwise(kind)
    doubtful = doubtful | (text.str.len_chars() > MAX_TEXT).fill_null(False)
    if others:
        texts, kinds = [text_of(value) for value in others.values()], [_KIND_OF[type(value)] for value in others.values()]
        special = cell.is_in(list(others))
        text = pl.when(special).then(cell.replace_strict(list(others), texts, default=None, return_dtype=pl.String)).otherwise(text)
        kind = pl.when(special).then(cell.replace_strict(list(others), kinds, default=0, return_dtype=pl.Int32)).otherwise(kind)
        doubtful = doubtful & ~special
    return text, kind.cast(pl.Int32), doubtful


def _number(numbers: str, text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return a number as Python would write it, or text where text is allowed."""
    if numbers == "plain":
        whole = text.str.contains(_WHOLE)
        decimal = text.str.contains(_DECIMAL) & ~text.str.contains(_MAYBE_THOUSANDS)
        wrong = pl.lit(False)
    else:
        other = "," if numbers == "." else "."
        marks = f"[{other} \u00a0\u202f]"
        digits = f"-?(?:[0-9]{{1,15}}|[0-9]{{1,3}}(?:{marks}[0-9]{{3}}){{1,4}})"
        whole = text.str.contains(f"^{digits}$")
        decimal = text.str.contains(f"^{digits}{re.escape(numbers)}[0-9]{{1,10}}$")
        wrong = ~(whole | decimal)
        text = text.str.replace_all(marks, "").str.replace(numbers, ".", literal=True).str.replace(r"^(-?)0+([0-9])", "${1}${2}")
    tidy = text.str.replace(r"(\.[0-9]+?)0+$", "${1}")
    doubtful = wrong | (decimal & ((text.str.len_bytes() > _DIGITS_AT_MOST) | text.str.contains(_TINY)))
    said = pl.when(whole & (text == "-0")).then(pl.lit("0")).when(decimal).then(tidy).otherwise(text)
    return said, pl.when(whole).then(_INT).when(decimal).then(_FLOAT).otherwise(_TEXT), doubtful
