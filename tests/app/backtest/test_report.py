"""Shares say how much is known, and how far chance may have moved them."""

from __future__ import annotations

import pytest

from app.backtest.report import Share


@pytest.mark.parametrize(
    ("won", "known", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (10, 100, 0.0552, 0.1744), (1, 2, 0.0945, 0.9055)],
)
def test_the_range_of_a_share_is_that_of_wilsons_score(won: int, known: int, low: float, high: float) -> None:
    """As textbooks give it for these counts."""
    assert Share(known, known, won).interval == pytest.approx((low, high), abs=5e-5)


def test_of_what_is_not_known_there_is_no_share() -> None:
    assert (Share(5).share, Share(5).interval) == (None, None)


def test_a_share_is_of_the_known_leads_and_not_of_all() -> None:
    assert Share(100, 40, 10).share == 0.25
