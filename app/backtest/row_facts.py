"""Turns cells into the facts of leads, a whole column at a time; and leads that were read singly into the same facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import reduce
from typing import Any

import polars as pl

from agreements.lead import MAX_FIELDS, IncomingLead
from agreements.slips import FARTHEST, PAST_BY
from app.backtest.column_facts import ColumnFacts, type_of
from app.backtest.fact_columns import FIELD
from app.backtest.field_kinds import KIND_OF, Kinds, text_of
from app.csv_import.cells import TIMES
from app.csv_import.row_judge import BadLead, RowJudge
from app.csv_import.rows import Row

_ALWAYS = ("source", "source_id", "conversion_id", "activity", "path", "at", "email", "entry_channel")


@dataclass(slots=True)
class Facts:
    """Reads blocks of cells as facts of leads, and remembers the kinds of values in their fields.

    by: the fact that groups the leads, empty for none; a field of the agreement is a group by itself. schema: the columns and their
    types; fields of the agreement are text at first. `day`: whether `at` was written as a day without a time. `told`: whether the
    row itself gives the fact that groups the leads.
    """

    judge: RowJudge
    by: str = ""
    kinds: Kinds = field(default_factory=Kinds)
    schema: dict[str, Any] = field(init=False)
    _columns: list[ColumnFacts] = field(init=False)
    _are_alone: bool = field(init=False)

    def __post_init__(self) -> None:
        judge = self.judge
        self._columns = [ColumnFacts(number, column, judge) for number, column in enumerate(judge.columns)]
        self._are_alone = _are_judged_alone(judge)
        facts = {*_ALWAYS, *judge.constants, *(column.target for column in judge.columns if not column.is_field)}
        fields = {column.name: pl.String for column in self._columns if column.is_field}
        known = {"line": pl.UInt32, "day": pl.Boolean, "told": pl.Boolean}
        self.schema = {**known, **{name: type_of(name) for name in sorted(facts)}, **fields}

    def read(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the facts of the good rows, and the cells of the others, about which only the judge of rows can say what is wrong."""
        if not self._are_alone:
            return pl.DataFrame(schema=self.schema), cells
        fields = [column for column in self._columns if column.is_field]
        frame = self._asked(cells)
        kinds = {column.called("kind"): column.kind() for column in fields}
        bad = pl.any_horizontal([*(column.bad() for column in self._columns), self._unlikely_requests()])
        found = frame.select(**self._made(), **kinds, bad=bad)
        good = found.filter(~pl.col("bad")) if found["bad"].any() else found
        for column in fields:
            self.kinds.add(column.name, *good[column.called("kind")].unique().to_list())
        return good.select(pl.col(name).cast(kind) for name, kind in self.schema.items()), cells.filter(found["bad"])

    def _asked(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return the cells with what each column needs beside them, after the judge has seen the cells that are not plain."""
        frame = reduce(lambda frame, column: column.with_times(frame), self._columns, cells)
        frame = frame.with_columns(column.form().alias(column.called("form")) for column in self._columns)
        others = frame.select(column.not_plain().alias(column.called("others")) for column in self._columns)
        for column in self._columns:
            column.ask(others[column.called("others")].item(), height=cells.height)
        return frame

    def _made(self) -> dict[str, pl.Expr]:
        """Return the facts of each row: the defaults of a lead, and what the columns give."""
        silent: dict[str, Any] = {**self.judge.silent_lead().model_dump(), "day": False, "told": True}
        silent |= {name: at.astimezone(UTC) for name in TIMES if (at := silent[name])}
        made: dict[str, pl.Expr] = {name: pl.lit(silent.get(name), kind) for name, kind in self.schema.items()}
        made["line"] = pl.col("line")
        for column in self._columns:
            made[column.name] = column.value()
            if column.name == "at":
                made["day"] = column.day()
            if column.name == self.by:
                made["told"] = column.told()
        return made

    def _unlikely_requests(self) -> pl.Expr:
        """Return whether the judge has to look at a row because of its contact time: see `unlikely_request`."""
        made = {column.name: column.value() for column in self._columns if column.name in TIMES}
        if len(made) < len(TIMES):
            return pl.lit(False)
        ahead = made["requested_time"] - made["at"]
        return ((ahead < -PAST_BY) | (ahead > FARTHEST)).fill_null(False)

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
            cell = row.cells[column.index]
            if column.target == "at" and not column.is_field:
                known["day"] = column.gives_day(cell)
            if column.target == self.by and not column.is_field:
                known["told"] = self.judge.says(column, cell)
        return tuple(known.get(name) for name in self.schema)

    def grouped(self, facts: pl.DataFrame) -> pl.DataFrame:
        """Return the facts with the `group` of each row, null where it gives none, instead of `told`."""
        value = pl.col(self.by).cast(pl.String) if self.by in facts.columns else pl.lit(None, pl.String)
        return facts.with_columns(group=pl.when("told").then(value)).drop("told")


def _are_judged_alone(judge: RowJudge) -> bool:
    """Whether the cells of a row can be judged one by one: there are not too many fields, and each can be given by its name."""
    fields = [column for column in judge.columns if column.is_field]
    try:
        for column in fields:
            judge.value(column, "1")
    except BadLead:
        return False
    return len(fields) <= MAX_FIELDS and all(column.target == column.target.strip() for column in fields)
