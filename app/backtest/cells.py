"""Turns cells into facts, a whole column at a time. The judge of rows reads each distinct cell once, except plain ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import polars as pl

from agreements.backtest.columns import INSTANT
from agreements.lead import MAX_FIELDS, IncomingLead
from app.backtest.fact_columns import FIELD
from app.backtest.field_kinds import KIND_OF, Kinds, text_of
from app.backtest.instants import Instants
from app.csv_import.cells import TIMES, Plain
from app.csv_import.columns import Column
from app.csv_import.row_judge import BadLead, RowJudge
from app.csv_import.rows import Row

_ALWAYS = ("source", "source_id", "conversion_id", "activity", "path", "at", "email", "entry_channel")


@dataclass(slots=True)
class Facts:
    """Reads blocks of cells as facts of leads, and remembers the kinds of values in their fields.

    by: the fact that groups the leads, empty for none; a field of the agreement is a group by itself.
    """

    judge: RowJudge
    by: str = ""
    kinds: Kinds = field(default_factory=Kinds)
    schema: dict[str, Any] = field(init=False)
    _parts: list[_ColumnFacts] = field(init=False)
    _alone: bool = field(init=False)

    def __post_init__(self) -> None:
        """schema: the columns of the facts and their types; fields of the agreement are text at first. `day`: whether `at` was written
        as a day without a time. `told`: whether the row itself gives the fact that groups the leads."""
        judge, instants = self.judge, Instants(self.judge.zone, self.judge.year)
        self._parts = [_ColumnFacts(number, column, judge, instants) for number, column in enumerate(judge.columns)]
        facts = {*_ALWAYS, *judge.constants, *(part.name for part in self._parts if not part.column.is_field)}
        fields = {part.name: pl.String for part in self._parts if part.column.is_field}
        known = {"line": pl.UInt32, "day": pl.Boolean, "told": pl.Boolean}
        self.schema = {**known, **{name: _type_of(name) for name in sorted(facts)}, **fields}
        self._alone = _are_judged_alone(judge)

    def read(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the facts of the good rows, and the cells of the others, about which only the judge of rows can say what is wrong."""
        if not self._alone:
            return pl.DataFrame(schema=self.schema), cells
        frame = reduce(lambda frame, part: part.with_times(frame), self._parts, cells)
        frame = frame.with_columns(part.form().alias(part.called("form")) for part in self._parts)
        others = frame.select(part.not_plain().alias(str(part.number)) for part in self._parts)
        for part in self._parts:
            part.ask(others[str(part.number)].item().to_list())
        told = next((part.told() for part in self._parts if part.column.target == self.by and not part.column.is_field), pl.lit(True))
        made = {**self._defaults(), "line": pl.col("line"), "told": told, **{part.name: part.value() for part in self._parts}}
        made["day"] = next((part.day() for part in self._parts if part.name == "at"), pl.lit(False))
        kinds = {part.called("kind"): part.kind() for part in self._parts if part.column.is_field}
        found = frame.select(**made, **kinds, bad=pl.any_horizontal(pl.lit(False), *(part.bad() for part in self._parts)))
        good = found.filter(~pl.col("bad")) if found["bad"].any() else found
        for part in self._parts:
            if part.column.is_field:
                self.kinds.add(part.name, *good[part.called("kind")].unique().to_list())
        return good.select(pl.col(name).cast(kind) for name, kind in self.schema.items()), cells.filter(found["bad"])

    def _defaults(self) -> dict[str, pl.Expr]:
        plain = self.judge.silent_lead().model_dump()
        return {name: pl.lit(plain.get(name, False if name == "day" else None), kind) for name, kind in self.schema.items()}

    def of_leads(self, leads: Sequence[tuple[Row, IncomingLead]]) -> pl.DataFrame:
        """Return the same facts for leads that were read singly."""
        for _, lead in leads:
            for name, value in lead.fields.items():
                self.kinds.add(FIELD + name, KIND_OF[type(value)])
        return pl.DataFrame([self._row(*one) for one in leads], schema=self.schema, orient="row")

    def _row(self, row: Row, lead: IncomingLead) -> tuple[Any, ...]:
        fields = {FIELD + name: text_of(value) for name, value in lead.fields.items()}
        known: dict[str, Any] = {**lead.model_dump(exclude={"fields"}), **fields, "line": row.line, "day": False, "told": True}
        for column in self.judge.columns:
            if column.target == "at" and not column.is_field:
                known["day"] = column.gives_day(row.cells[column.index])
            if column.target == self.by and not column.is_field:
                known["told"] = self.judge.says(column, row.cells[column.index])
        return tuple(known.get(name) for name in self.schema)

    def grouped(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Return the facts with the `group` of each row, null where it gives none, instead of `told`."""
        value = pl.col(self.by).cast(pl.String) if self.by in facts.columns else pl.lit(None, pl.String)
        return facts.with_columns(group=pl.when("told").then(value)).drop("told")


class _ColumnFacts:
    """One column as expressions. Plain cells are taken as they are; each other distinct cell is judged once a block."""

    def __init__(self, number: int, column: Column, judge: RowJudge, instants: Instants) -> None:
        self.number, self.column, self.name = number, column, FIELD + column.target.strip() if column.is_field else column.target
        self._judge, self._instants, self._is_time = judge, instants, column.target in TIMES and not column.is_field
        self._cell, self._form = pl.col(str(column.index)), pl.col(self.called("form"))
        self._type = pl.String if column.is_field else _type_of(column.target)
        self._good: dict[str, Any] = {}
        self._bad: list[str] = []

    def called(self, what: str) -> str:
        """Return a name for something of this column."""
        return f"{self.number} {what}"

    def with_times(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with the instants of a column of times."""
        if not self._is_time:
            return frame
        read = self._instants.read(frame[str(self.column.index)])
        return frame.hstack(read.rename({name: self.called(name) for name in read.columns}))

    def form(self) -> pl.Expr:
        """Return by which plain form a cell is read, null for a cell that has to be judged."""
        form: pl.Expr = pl.lit(None, pl.Int32)
        if self._is_time:
            form = pl.when(pl.col(self.called("at")).is_not_null()).then(0)
        for at, one in enumerate(self.column.plain):
            form = pl.coalesce(form, pl.when(_has(self._cell, one)).then(at))
        named = list(self.column.values)
        return pl.when(~self._cell.is_in(named)).then(form) if named else form

    def not_plain(self) -> pl.Expr:
        """Return the distinct cells that have to be judged, as one list."""
        return self._cell.filter(self._form.is_null()).unique().implode()

    def ask(self, cells: Sequence[str]) -> None:
        """Ask the judge about these cells."""
        self._good, self._bad = {}, []
        for cell in cells:
            try:
                self._good[cell] = self._judge.value(self.column, cell)
            except BadLead:
                self._bad.append(cell)

    def value(self) -> pl.Expr:
        """Return the fact of each row."""
        judged = self._spread([text_of(value) if self.column.is_field else value for value in self._good.values()], self._type)
        if self._is_time:
            return pl.when(self._form.is_not_null()).then(pl.col(self.called("at"))).otherwise(judged)
        commas = [at for at, one in enumerate(self.column.plain) if one.sign == ","]
        plain = pl.when(self._form.is_in(commas)).then(self._cell.str.replace(",", ".", literal=True)) if commas else pl
        return plain.when(self._form.is_not_null()).then(self._cell).otherwise(judged) if self.column.plain else judged

    def kind(self) -> pl.Expr:
        """Return the kind of each row's value."""
        judged = self._spread([KIND_OF[type(value)] for value in self._good.values()], pl.Int32)
        kinds = [KIND_OF[one.kind] for one in self.column.plain]
        return pl.coalesce(self._form.replace_strict(list(range(len(kinds))), kinds, default=None, return_dtype=pl.Int32), judged)

    def day(self) -> pl.Expr:
        """Return whether a time is only a day."""
        judged = self._spread([self.column.gives_day(cell) for cell in self._good], pl.Boolean)
        return pl.when(self._form.is_not_null()).then(pl.col(self.called("day"))).otherwise(judged)

    def told(self) -> pl.Expr:
        """Return whether a cell gives the fact, so that the lead does not have it by default."""
        return ~self._cell.is_in([cell for cell in self._good if not self._judge.says(self.column, cell)])

    def bad(self) -> pl.Expr:
        """Return whether a cell is wrong."""
        return self._cell.is_in(self._bad) if self._bad else pl.lit(False)

    def _spread(self, values: list[Any], kind: Any) -> pl.Expr:
        if not values:
            return pl.lit(None, kind)
        return self._cell.replace_strict(list(self._good), pl.Series(values, dtype=kind), default=None, return_dtype=kind)


def _type_of(fact: str) -> Any:
    return INSTANT if fact in TIMES else pl.Boolean if fact == "do_not_contact" else pl.String


def _has(cell: pl.Expr, form: Plain) -> pl.Expr:
    has = cell.str.len_chars().is_between(form.at_least, form.at_most)
    if form.pattern:
        has &= cell.str.contains(form.pattern)
    return has & ~cell.str.contains(form.never) if form.never else has


def _are_judged_alone(judge: RowJudge) -> bool:
    """Whether the cells of a row can be judged one by one: there are not too many fields, and each can be given by its name."""
    fields = [column for column in judge.columns if column.is_field]
    try:
        for column in fields:
            judge.value(column, "1")
    except BadLead:
        return False
    return len(fields) <= MAX_FIELDS and all(column.target == column.target.strip() for column in fields)
