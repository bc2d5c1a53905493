"""What past leads say about an agreement's points: who qualifies at each threshold, and each criterion with the wins beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import polars as pl

from agreements.backtest.columns import Judged
from agreements.model import Agreement
from agreements.review.better_threshold import AtLeast
from agreements.review.chance import Cell
from agreements.review.idle_criteria import CriterionCounted
from agreements.review.share import Share
from app.backtest import report
from app.backtest.compare import applies_to
from app.backtest.past import PastLeads


def curve_of(tried: pl.DataFrame) -> list[AtLeast]:
    """Return the MQLs that the agreement's own threshold decided about and that have at least so many points, from 0 to 100."""
    mqls = tried.filter(pl.col("is_mql") & ~pl.col("own_total"))
    curve = []
    for points in range(101):
        own = mqls.filter(pl.col("total") >= points)
        known = own.filter(pl.col("known"))
        curve.append(AtLeast(own.height, Share(count=int(known["won"].sum()), of=known.height)))
    return curve


def criteria_of(tried: pl.DataFrame, judged: Judged, side: report.SideFound) -> Iterator[CriterionCounted]:
    """Yield each criterion of the agreement with its counts. side: what this agreement makes of these leads, by source."""
    rows = tried.filter(pl.col("is_mql") & pl.col("known"))
    places = {"fit": 0, "engagement": 0}
    for found, points in zip(side.criteria, judged.points.values(), strict=True):
        part: Literal["fit", "engagement"] = "fit" if found.place.startswith("fit") else "engagement"
        yield CriterionCounted(
            part=part,
            place=places[part],
            words=found.words,
            points=found.points,
            held=found.held,
            changed=found.mattered,
            having=_mqls(tried, points, having=True),
            lacking=_mqls(tried, points, having=False),
            cells=_cells(rows, points),
            cells_of={str(name): _cells(own, points) for (name,), own in rows.partition_by("source", as_dict=True).items()},
        )
        places[part] += 1


def tried_by_points(agreement: Agreement, past: PastLeads, judged: Judged) -> pl.DataFrame:
    """Return the leads that passed the screen and did not ask: row, source, points, total, and whether qualified, of known outcome, won.

    total: the points, from 0 to 100. own_total: their channel has a threshold of its own.
    """
    verdicts, outcomes = judged.verdicts, past.outcomes
    points = verdicts["fit"] + verdicts["engagement"]
    own = {name for name, changed in agreement.qualification.by_channel.items() if changed.total is not None}
    channel = past.leads.column("entry_channel")
    columns = {
        "source": past.groups,
        "points": points,
        "total": verdicts["total"],
        "own_total": channel.spread([(value or "web") in own for value in channel.values], pl.Boolean),
        "is_mql": verdicts["is_mql"],
        "known": outcomes.known,
        "won": outcomes.won,
    }
    mask = applies_to(agreement, past) & (verdicts["screened"] == "") & (verdicts["fast_lane"] == "")
    return pl.DataFrame(columns).with_row_index("row").filter(mask)


def _mqls(tried: pl.DataFrame, points: pl.Series, *, having: bool) -> Share:
    own = tried.filter((points.gather(tried["row"]) != 0) == having)
    return Share(count=int(own["is_mql"].sum()), of=own.height)


def _cells(rows: pl.DataFrame, points: pl.Series) -> tuple[Cell, ...]:
    given = points.gather(rows["row"]).cast(pl.Int32)
    frame = rows.with_columns(given=given, rest=rows["points"].cast(pl.Int32) - given)
    groups = frame.group_by("rest", "given").agg(pl.col("won").sum(), pl.len()).sort("rest", "given")
    return tuple(Cell(rest, gives, Share(count=won, of=of)) for rest, gives, won, of in groups.rows())
