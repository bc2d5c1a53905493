"""The results of an audit as plain values. They are the JSON report too: docs/audit.schema.json describes their shape."""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, computed_field

from agreements.clauses.clocks import OwedBy
from app.backtest.report import Share

#: Groups with fewer leads have no line of their own: their shares would say nothing.
FEW = 20


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Counted(_Value):
    """Some of a number of leads. share: 0 to 1, null where there is nothing to count."""

    count: int
    of: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """Return the part, to six places."""
        return round(self.count / self.of, 6) if self.of else None


class Won(_Value):
    """Leads and how many of them were won so far. between: the range of the share that chance leaves, with 95 % certainty."""

    leads: int
    won: int

    @property
    def as_share(self) -> Share:
        """Return the same as a share of a backtest."""
        return Share(self.leads, self.leads, self.won)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """Return the part, to six places; null without leads."""
        return round(self.won / self.leads, 6) if self.leads else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def between(self) -> tuple[float, float] | None:
        """Return both ends of the range, to six places."""
        ends = self.as_share.interval
        return (round(ends[0], 6), round(ends[1], 6)) if ends else None


class Spread(_Value):
    """How times are spread over some leads. All values in seconds; null where no lead has the time."""

    leads: int
    median_seconds: float | None = None
    p90_seconds: float | None = None


class Speed(_Value):
    """How fast sales touched the leads of one tier. The tier is empty for all leads.

    touched: of all leads. elapsed, working: from the lead's start to its first touch, of the leads for which both times of day are
    known; working time follows the agreement's calendar. agreed: the term in words. in_time: of the leads whose term is over.
    """

    tier: str
    touched: Counted
    elapsed: Spread
    working: Spread
    agreed: str
    in_time: Counted


class Kept(_Value):
    """How often one promise of the agreement was kept.

    promise: its name, a clock's where it is one. words: what it asks for. kept, broken: leads; open: its time was not over at the
    end of the files; unknown: the files do not tell. won_if_kept, won_if_broken: what became of these leads, and amounts of the
    won ones. not_in_file: why nothing could be counted, empty where it could.
    """

    promise: Literal["delivery", "acceptance", "first_attempt", "outcome", "touches", "reason", "note", "decision"]
    owed_by: OwedBy
    words: str
    kept: int = 0
    broken: int = 0
    open: int = 0
    unknown: int = 0
    won_if_kept: Won = Won(leads=0, won=0)
    won_if_broken: Won = Won(leads=0, won=0)
    amount_if_kept: float | None = None
    amount_if_broken: float | None = None
    not_in_file: str = ""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share_kept(self) -> float | None:
        """Return the kept part of the kept and broken ones."""
        decided = self.kept + self.broken
        return round(self.kept / decided, 6) if decided else None


class Group(_Value):
    """The leads of one source or owner. amount: of the won ones, null without amounts. merged: how many small groups are together here."""

    value: str
    leads: int
    untouched: Counted | None
    in_time: Counted | None
    median_seconds: float | None
    won: Won
    amount: float | None
    merged: int = 0


class Days(_Value):
    """Days from the start of a lead to its win, by the calendar: quartiles and extremes. days_only: wins without a time of day."""

    leads: int
    quartiles: tuple[float, float, float] | None = None
    shortest: int | None = None
    longest: int | None = None
    days_only: int = 0


class Attempts(_Value):
    """Touches before sales gave a lead up. by_touches: how many leads had 0, 1, … 5, and 6 or more."""

    leads: int
    median: float | None = None
    by_touches: tuple[int, ...] = ()


class NotUsed(_Value):
    """What could not be used. counts: by what is wrong; first: at most 50 rows of each."""

    count: int
    counts: dict[str, int]
    first: tuple[NamedRow, ...]


class NamedRow(_Value):
    """A row that could not be used."""

    place: str
    line: int
    wrong: str
    reason: str


class Money(_Value):
    """Amounts of won leads. known: how many of them have one."""

    currency: str
    known: Counted
    won: float
    average: float | None


class Audit(_Value):
    """What an export of a CRM says about the handoff from marketing to sales.

    leads_file, activities_file: names of the files; activities_file is empty without one. since, until: the first and last day on
    which a lead may have been created, null for no bound. first, last: the first and last created. as_of: the newest time in the
    files; later terms count as open. agreement: name@version. drafted: whether the user named the agreement; else it is the starter.
    Counted values that the files cannot tell are null.
    """

    report: Literal["baton-audit-1"] = "baton-audit-1"
    leads_file: str
    activities_file: str
    since: date | None
    until: date | None
    first: datetime | None
    last: datetime | None
    as_of: datetime | None
    agreement: str
    drafted: bool
    calendar: str
    leads: int
    without_created: int
    activities: int
    automatic: int
    joined: Counted | None
    untouched: Counted | None
    unanswered: Counted | None
    accepted: Counted | None
    accepted_untouched: Counted | None
    rejected: Counted | None
    rejected_without_reason: Counted | None
    lost: Counted | None
    lost_without_reason: Counted | None
    recycled: Counted | None
    lost_for_good: Counted | None
    won: Won | None
    speeds: tuple[Speed, ...]
    promises: tuple[Kept, ...]
    attempts: Attempts | None
    by_source: tuple[Group, ...]
    by_owner: tuple[Group, ...]
    days_to_won: Days
    money: Money | None
    unmapped_statuses: dict[str, int]
    unmapped_types: dict[str, int]
    not_used: NotUsed
    warnings: tuple[str, ...]


def as_json(found: Audit) -> dict[str, Any]:
    """Return the whole report as plain values."""
    return found.model_dump(mode="json")


def schema() -> dict[str, Any]:
    """Return the JSON schema of the report."""
    return Audit.model_json_schema(mode="serialization")


def amount(value: float | None) -> float | None:
    """Return a sum of money rounded to cents; null for none, and for a sum that is no number."""
    return None if value is None or not math.isfinite(value) else round(value, 2)
