"""Made-up quarters: past leads that are won by a law of their true points, with one cause planted in the agreement or with none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import exp
from random import Random
from typing import Any

import polars as pl

from agreements.backtest.columns import INSTANT, LeadColumns
from agreements.loading import read_agreement
from agreements.model import Agreement
from app.backtest.past import Outcomes, PastLeads
from tests.app.backtest.ground import a_text

AT = datetime(2027, 1, 11, 10, tzinfo=UTC)
#: Each fact of a lead: the points that it is truly worth, and how many of ten leads have it.
WORTH: Mapping[str, tuple[int, int]] = {
    "software": (30, 5), "large": (25, 4), "leader": (20, 5), "partner": (15, 3), "budget": (10, 5), "student": (-15, 2),
}  # fmt: skip
#: A fact that has nothing to do with wins.
IDLE = "newsletter"
THRESHOLD = 50


def the_agreement(**changes: Any) -> Agreement:
    """Return the agreement of the text with these changes."""
    return read_agreement(the_text(**changes))


def the_text(version: int = 1, *, total: int = THRESHOLD, idle: int = 0, never: bool = False, always: int = 0, **clauses: Any) -> str:
    """Return the text of an agreement with the true points.

    idle: points for a fact that says nothing. never: also one that nothing hangs on. always: points for a fact that no lead lacks.
    clauses: to write instead of the example's.
    """
    fit = [{"when": {name: "yes"}, "points": points} for name, (points, _) in WORTH.items()]
    if idle:
        fit.insert(2, {"when": {IDLE: "yes"}, "points": idle})
    if never:
        fit.append({"when": {IDLE: "yes"}, "points": 1})
    if always:
        fit.insert(1, {"when": {IDLE: "present"}, "points": always})
    rules = {"mql": {"total": total}, "fit": fit, "engagement": [], "fast_lane": ["demo_requested"]}
    return a_text(version, qualification=rules, fields={name: {"type": "choice"} for name in (*WORTH, IDLE)}, **clauses)


def quarter(seed: int, *, leads: int = 5_000, middle: float = 50, steep: float = 6, highest: float = 0.35) -> PastLeads:
    """Return leads that are won by a logistic law of their true points.

    middle: the points at which half of the highest share is won; steep: over how many points the share rises.
    """
    dice = Random(seed)
    rows = [{name: dice.random() < of_ten / 10 for name, (_, of_ten) in WORTH.items()} for _ in range(leads)]
    points = [sum(WORTH[name][0] for name, has in row.items() if has) for row in rows]
    won = [dice.random() < highest / (1 + exp((middle - one) / steep)) for one in points]
    facts = [{**row, IDLE: dice.random() < 0.5} for row in rows]
    return PastLeads(
        leads=LeadColumns(
            pl.DataFrame([{name: "yes" if has else "no" for name, has in one.items()} for one in facts]),
            pl.Series([AT] * leads, dtype=INSTANT),
            pl.DataFrame(schema={"row": pl.UInt32, "kind": pl.String, "path": pl.String, "at": INSTANT}),
        ),
        groups=pl.Series(["web"] * leads, dtype=pl.String),
        outcomes=Outcomes(won=pl.Series(won), known=pl.repeat(True, leads, eager=True), word="won", losses=True),
        origin="a made-up quarter",
        by="entry_channel",
    )


def without_law(seed: int) -> dict[str, Any]:
    """Return another law for every second seed: one that rises evenly over all points."""
    return {"middle": 95, "steep": 22, "highest": 1.0} if seed % 2 else {}
