"""Holds the rows that an import reads against the rows that a backtest reads of the same file."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from agreements.lead import IncomingLead
from app.backtest.fact_columns import FIELD
from app.backtest.field_kinds import text_of
from app.backtest.reader import ReadRows, Wanted, read_rows
from app.csv_import.file import ReadLeads, UnreadableFile, read_leads

TODAY = datetime(2027, 2, 1, 12, tzinfo=UTC)


def both(path: Path, *, block_bytes: int | None = None, by: str = "", **asked: Any) -> tuple[Any, Any]:
    """What either reader finds, or why it will not read the file."""
    found: list[Any] = []
    for reader in (read_leads, partial(read_rows, wanted=Wanted(block_bytes=block_bytes, by=by))):
        try:
            found.append(reader(path, today=TODAY, timezone="Asia/Tokyo", **asked))
        except UnreadableFile as error:
            found.append(str(error))
    return found[0], found[1]


def differences(singly: ReadLeads | str, together: ReadRows | str) -> list[str]:
    """Name everything that the two do not say alike: bad rows with their words, the lines taken, and each value in them."""
    if isinstance(singly, str) or isinstance(together, str):
        return [] if singly == together else [f"one: {singly}", f"many: {together}"]
    found = [f"{name}: {bad}" for name, bad in (("one", singly.bad), ("many", together.bad)) if singly.bad != together.bad]
    if singly.ignored_columns != together.ignored_columns:
        found.append(f"ignored {singly.ignored_columns} and {together.ignored_columns}")
    if [row.line for row in singly.rows] != together.facts["line"].to_list():
        return [*found, f"lines {[row.line for row in singly.rows]} and {together.facts['line'].to_list()}"]
    for row, facts in zip(singly.rows, together.facts.iter_rows(named=True), strict=True):
        wanted = _facts_of(row.lead)
        found += [
            f"line {row.line}: {name}: {have!r}, not {wanted.get(name)!r}"
            for name, have in facts.items()
            if name not in ("line", "day", "group", "person") and not _same(have, wanted.get(name), together.facts.schema[name])
        ]
        found += [
            f"line {row.line}: {name} is not there"
            for name, value in wanted.items()
            if name.startswith(FIELD) and name not in facts and value
        ]
    return found


def _facts_of(lead: IncomingLead) -> dict[str, Any]:
    plain = lead.model_dump(exclude={"fields"})
    return {**plain, **{FIELD + name: value for name, value in lead.fields.items()}}


def _same(have: Any, wanted: Any, kind: pl.DataType) -> bool:
    """Text stands for any value in a column that holds several kinds."""
    return bool(have == (text_of(wanted) if kind == pl.String and not isinstance(wanted, str) else wanted))
