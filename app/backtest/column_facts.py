"""The facts in one column of a file. The judge of rows reads each distinct cell once; plain cells show their value."""

from __future__ import annotations

from typing import Any

import polars as pl

from agreements.backtest.columns import INSTANT
from app.backtest.fact_columns import FIELD
from app.backtest.field_kinds import KIND_OF, text_of
from app.backtest.instants import Instants
from app.csv_import.cells import TIMES, Plain
from app.csv_import.columns import Column
from app.csv_import.row_judge import BadLead, RowJudge

#: The distinct cells of a column that are judged in each block are at most this many, or an eighth of the block's rows. Where more
#: cells differ, judging each of them before its row gains nothing.
ASKED_AT_LEAST = 1_000


class ColumnFacts:
    """One column of a file as expressions over a block of cells.

    name: of the fact, `fields.NAME` for a field of the agreement.
    """

    def __init__(self, number: int, column: Column, judge: RowJudge) -> None:
        self._number, self._column, self._judge = number, column, judge
        self._instants = Instants(judge.zone, judge.year, column.dates)
        self.is_field = column.is_field
        self.name = FIELD + column.target.strip() if column.is_field else column.target
        self._is_time = self.name in TIMES
        self._cell, self._form = pl.col(str(column.index)), pl.col(self.called("form"))
        self._good: dict[str, Any] = {}
        self._bad: list[str] = []
        self._too_many = False

    def called(self, what: str) -> str:
        """Return a name for something of this column."""
        return f"{self._number} {what}"

    def with_times(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with the instants of a column of times."""
        if not self._is_time:
            return frame
        read = self._instants.read(frame[str(self._column.index)])
        return frame.hstack(read.rename({name: self.called(name) for name in read.columns}))

    def form(self) -> pl.Expr:
        """Return by which plain form a cell is read, null for a cell that has to be judged."""
        form: pl.Expr = pl.lit(None, pl.Int32)
        if self._is_time:
            form = pl.when(pl.col(self.called("at")).is_not_null()).then(0)
        for at, one in enumerate(self._column.plain):
            form = pl.coalesce(form, pl.when(_has(self._cell, one)).then(at))
        named = list(self._column.values)
        return pl.when(~self._cell.is_in(named)).then(form) if named else form

    def not_plain(self) -> pl.Expr:
        """Return the distinct cells that have to be judged, as one list."""
        return self._cell.filter(self._form.is_null()).unique().implode()

    def ask(self, cells: pl.Series, *, height: int) -> None:
        """Ask the judge about these cells of a block of so many rows. Where there are too many, their rows are left to the judge."""
        self._good, self._bad, self._too_many = {}, [], len(cells) > max(ASKED_AT_LEAST, height // 8)
        for cell in [] if self._too_many else cells:
            try:
                self._good[cell] = self._judge.value(self._column, cell)
            except BadLead:
                self._bad.append(cell)

    def value(self) -> pl.Expr:
        """Return the fact of each row."""
        values = map(text_of, self._good.values()) if self.is_field else self._good.values()
        judged = self._spread(list(values), type_of(self.name))
        if self._is_time:
            return pl.when(self._form.is_not_null()).then(pl.col(self.called("at"))).otherwise(judged)
        plain: pl.Expr = self._cell
        for at, one in enumerate(self._column.plain):
            if one.kind is not str:
                plain = pl.when(self._form == at).then(_as_python_writes(self._cell, one)).otherwise(plain)
        return pl.when(self._form.is_not_null()).then(plain).otherwise(judged) if self._column.plain else judged

    def kind(self) -> pl.Expr:
        """Return the kind of each row's value."""
        judged = self._spread([KIND_OF[type(value)] for value in self._good.values()], pl.Int32)
        kinds = [KIND_OF[one.kind] for one in self._column.plain]
        return pl.coalesce(self._form.replace_strict(list(range(len(kinds))), kinds, default=None, return_dtype=pl.Int32), judged)

    def day(self) -> pl.Expr:
        """Return whether a time is only a day."""
        judged = self._spread([self._column.gives_day(cell) for cell in self._good], pl.Boolean)
        return pl.when(self._form.is_not_null()).then(pl.col(self.called("day"))).otherwise(judged)

    def told(self) -> pl.Expr:
        """Return whether a cell gives the fact, so that the lead does not have it by default."""
        return ~self._cell.is_in([cell for cell in self._good if not self._judge.says(self._column, cell)])

    def bad(self) -> pl.Expr:
        """Return whether the row of a cell is left to the judge."""
        if self._too_many:
            return self._form.is_null()
        return self._cell.is_in(self._bad) if self._bad else pl.lit(False)

    def _spread(self, values: list[Any], kind: Any) -> pl.Expr:
        if not values:
            return pl.lit(None, kind)
        return self._cell.replace_strict(list(self._good), pl.Series(values, dtype=kind), default=None, return_dtype=kind)


def type_of(fact: str) -> Any:
    """Return the type of the column of a fact; a field of the agreement is text at first."""
    return INSTANT if fact in TIMES else pl.Boolean if fact == "do_not_contact" else pl.String


def _has(cell: pl.Expr, form: Plain) -> pl.Expr:
    has = cell.str.len_chars().is_between(form.at_least, form.at_most)
    if form.pattern:
        has &= cell.str.contains(form.pattern)
    return has & ~cell.str.contains(form.never) if form.never else has


def _as_python_writes(cell: pl.Expr, form: Plain) -> pl.Expr:
    """Return a number as text_of writes it."""
    digits = cell.str.replace_all(form.marks, "") if form.marks else cell
    if form.kind is int:
        return digits
    decimal = digits.str.replace(form.sign, ".", literal=True) if form.sign != "." else digits
    return decimal.str.replace(r"(\.[0-9]+?)0+$", "${1}")
