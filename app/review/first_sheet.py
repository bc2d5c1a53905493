"""The first sheet of a review as plain values: what a mail about it says. It names no person and no lead."""

from __future__ import annotations

from typing import Any

from app.review import wording
from app.review.report import Review


def first_sheet(found: Review) -> dict[str, Any]:
    """Return the days, the result in sentences, what to decide, and each objective of both sides with its pace, all in words."""
    return {
        "days": wording.days(found),
        "headline": wording.headline(found),
        "to_decide": [one.what for one in found.to_decide],
        "objectives": [
            {
                "name": wording.AIMS[one.aim],
                "side": one.side,
                "target": one.target,
                "measured": wording.cell(wording.measured(one)),
                "reached": {True: "yes", False: "no", None: ""}[one.reached],
                "pace": wording.pace(one.pace),
            }
            for one in found.objectives
        ],
    }
