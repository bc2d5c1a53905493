"""Past leads from any source: the facts that a trial of an agreement needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from agreements.backtest.columns import LeadColumns

#: The name of the group of leads with an empty value.
BLANK = "(blank)"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that could not be used: the file (empty for the database), the line or the lead's number, and why."""

    place: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.place}:{self.line}: {self.reason}" if self.place else f"lead {self.line}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the leads, one row each.

    won: whether the lead was won. known: whether the outcome is known; an unknown one is neither won nor lost. word: what `won` means
    here. losses: whether lost leads are recorded. If so, known is what was decided, else what sales had the chance to win. reached: by
    stage, in the order of the stages, whether the lead reached it or a later one; only stages of which the source tells.
    """

    won: pl.Series
    known: pl.Series
    word: str = "won"
    losses: bool = False
    reached: Mapping[str, pl.Series] = field(default_factory=dict)

    @classmethod
    def none(cls, height: int) -> Outcomes:
        """Return outcomes of which none is known."""
        never = pl.repeat(False, height, eager=True)
        return cls(never, never)


@dataclass(frozen=True, slots=True)
class PastLeads:
    """Leads as they were when they were ready to be judged, and what became of them.

    groups: each lead's group in the report, null for blank. rows: how many were read, good or bad. left_out: rows that could
    not be used. warnings: what a reader of the report has to know about these leads. emails: their addresses, by which colleagues are
    told; None where nobody reads them. of_others: whether another agreement in force is for the lead; None where no other one is known.
    """

    leads: LeadColumns
    groups: pl.Series
    outcomes: Outcomes
    origin: str
    by: str
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    emails: pl.Series | None = None
    of_others: pl.Series | None = None

    @property
    def height(self) -> int:
        """Return how many leads there are."""
        return self.leads.height


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun, as people write it."""
    return f"{number:,} {one if number == 1 else many}"
