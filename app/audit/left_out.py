"""Rows and times that an audit cannot use: counted by what is wrong, the first ones named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from app.backtest.past import LeftOut

#: What can be wrong with a row, in the order of the report.
Wrong = Literal[
    "unreadable row",
    "row without an id",
    "unreadable time",
    "unreadable amount",
    "time in the future",
    "assigned before the lead was created",
    "won before the lead was created",
    "lost before the lead was created",
    "touched before the lead was created",
    "activity of a lead that is not in the file",
    "outcome of a lead that is not in the file",
]
#: How many of each kind are named; all are counted.
NAMED = 50


@dataclass(slots=True)
class LeftOutRows:
    """Everything that was left out so far. counts: by what is wrong; first: the first ones of each."""

    counts: dict[Wrong, int] = field(default_factory=dict)
    first: dict[Wrong, list[LeftOut]] = field(default_factory=dict)

    def add(self, wrong: Wrong, place: str, rows: Sequence[tuple[int, str]], count: int | None = None) -> None:
        """Note these rows, each with its line and the reason. count: how many there are, where not all are given."""
        number = len(rows) if count is None else count
        if number:
            self.counts[wrong] = self.counts.get(wrong, 0) + number
            known = self.first.setdefault(wrong, [])
            known += [LeftOut(place, line, reason) for line, reason in rows[: NAMED - len(known)]]

    def add_frame(self, wrong: Wrong, place: str, rows: pl.DataFrame, say: Callable[[dict[str, Any]], str]) -> None:
        """Note the rows of this frame, which has `line`. say: returns the reason for a row."""
        if rows.height:
            named = rows.sort("line").head(NAMED)
            self.add(wrong, place, [(row["line"], say(row)) for row in named.iter_rows(named=True)], rows.height)

    @property
    def total(self) -> int:
        """How many rows and times were left out."""
        return sum(self.counts.values())
