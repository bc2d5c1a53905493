"""What became of past leads, from the recorded times: won, lost, or unknown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from app.backtest.instants import is_midnight
from app.backtest.past import Outcomes
from app.csv_import.lead_map import OUTCOMES, STAGES

#: The stages of a lead that goes on well, in their order.
LADDER = ("assigned", "accepted", "contacted", "opportunity", "won")


@dataclass(frozen=True, slots=True)
class Impossible:
    """An impossible outcome: the lead's row, what the file says (`won_at`, `lost_at`), when, and the first contact, which is later."""

    row: int
    what: str
    at: datetime
    first: datetime


def became(leads: pl.DataFrame, *, zone: ZoneInfo) -> tuple[Outcomes, list[Impossible]]:
    """Return what is known about each lead, and the outcomes that come before the first contact, which count as not known.

    leads: first_at, day, whichever of OUTCOMES the file has, and of STAGES if it says them by words. A lead without a recorded outcome is
    open, one that was never assigned is unknown; neither is lost. zone: the zone of days without a time.
    """
    told = [name for name in OUTCOMES if name in leads.columns]
    said = {name: leads[name].fill_null(False) for name in STAGES if name in leads.columns}
    if "won_at" not in told and "won" not in said:
        return Outcomes.none(leads.height), []
    wrong = [one for name in ("won_at", "lost_at") if name in told for one in _before_first_contact(leads, name, zone)]
    usable = ~pl.int_range(leads.height, eager=True).is_in([one.row for one in wrong])
    had = {name.removesuffix("_at"): leads[name].is_not_null() for name in told} | said
    won = had["won"] & usable
    lost = had["lost"] & usable & ~won if "lost" in had else won & False
    followed = (
        pl.DataFrame(list(had.values())).select(pl.any_horizontal(pl.all())).to_series() if _says_who_was_followed(had) else won | True
    )
    losses = bool(lost.any())
    return Outcomes(won, won | lost if losses else followed & usable, losses=losses, reached=reached({**had, "won": won})), wrong


def reached(told: Mapping[str, pl.Series]) -> dict[str, pl.Series]:
    """Return by stage whether each lead reached it or a later one. told: what the source tells of a stage; the other stages are left out.

    Where a stage is said by the word of a lead's present stage, a lead that went on says the word of a later one.
    """
    found: dict[str, pl.Series] = {}
    later: pl.Series | None = None
    for stage in reversed(LADDER):
        if stage in told:
            later = told[stage] if later is None else later | told[stage]
            found[stage] = later
    return dict(reversed(found.items()))


def _says_who_was_followed(told: Collection[str]) -> bool:
    return "assigned" in told or "contacted" in told


def _before_first_contact(leads: pl.DataFrame, name: str, zone: ZoneInfo) -> Iterator[Impossible]:
    """Yield outcomes before the first contact. A day without a time, on either side, is before the other only if it is an earlier day."""
    doubtful = leads.with_row_index("place").filter(pl.col(name) < pl.col("first_at"))
    for place, at, first, day, outcome_day in doubtful.select("place", name, "first_at", "day", _is_day(doubtful, name)).iter_rows():
        days_only = day or outcome_day or is_midnight(at, zone) or is_midnight(first, zone)
        if not days_only or at.astimezone(zone).date() < first.astimezone(zone).date():
            yield Impossible(place, name, at, first)


def _is_day(leads: pl.DataFrame, name: str) -> pl.Expr:
    return pl.col(f"{name}_day") if f"{name}_day" in leads.columns else pl.lit(False).alias(f"{name}_day")
