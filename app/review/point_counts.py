"""What past leads say about an agreement's points: who qualifies at each threshold, and each criterion with the wins beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import polars as pl

from agreements.backtest.columns import Judged, judge
from agreements.model import Agreement
from agreements.review.better_threshold import AtLeast
from agreements.review.chance import Cell
from agreements.review.idle_criteria import CriterionCounted
from agreements.review.share import Share
from app.backtest import report
from app.backtest.compare import applies_to
from app.backtest.past import PastLeads


def curve_of(side: report.SideFound) -> list[AtLeast]:
    """Return the leads that points alone decide about, for each number of points. Leads that qualify anyway are left out."""
    anyway = side.curve[-1]
    return [AtLeast(one.leads - anyway.leads, Share(count=one.won - anyway.won, of=one.known - anyway.known)) for one in side.curve]


def criteria_of(agreement: Agreement, past: PastLeads, side: report.SideFound) -> Iterator[CriterionCounted]:
    """Yield each criterion of the agreement with its counts. side: what this agreement makes of these leads."""
    judged = judge(agreement, past.leads)
    rows = _decided_by_points(agreement, past, judged)
    places = {"fit": 0, "engagement": 0}
    for found, points in zip(side.criteria, judged.points.values(), strict=True):
        part: Literal["fit", "engagement"] = "fit" if found.place.startswith("fit") else "engagement"
        cells = tuple(_cells(rows, points))
        yield CriterionCounted(part, places[part], found.words, found.points, found.held, found.mattered, cells)
        places[part] += 1


def _decided_by_points(agreement: Agreement, past: PastLeads, judged: Judged) -> pl.DataFrame:
    """Return the qualified leads with a known outcome that did not ask: their row, all their points, and whether they were won."""
    verdicts = judged.verdicts
    mask = verdicts["is_mql"] & applies_to(agreement, past.leads) & (verdicts["fast_lane"] == "") & past.outcomes.known
    frame = pl.DataFrame({"points": verdicts["fit"] + verdicts["engagement"], "won": past.outcomes.won}).with_row_index("row")
    return frame.filter(mask)


def _cells(rows: pl.DataFrame, points: pl.Series) -> Iterator[Cell]:
    given = points.gather(rows["row"]).cast(pl.Int32)
    frame = rows.with_columns(given=given, rest=rows["points"].cast(pl.Int32) - given)
    groups = frame.group_by("rest", "given").agg(pl.col("won").sum(), pl.len()).sort("rest", "given")
    for rest, gives, won, of in groups.rows():
        yield Cell(rest, gives, Share(count=won, of=of))
