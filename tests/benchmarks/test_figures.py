"""Percentiles, ratios, and numbers that people read."""

from __future__ import annotations

import pytest

from benchmarks.figures import percentile, ratio, rounded, spread


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 51), (99, 100), (100, 100)])
def test_so_many_percent_lie_below(percent: float, value: float) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_one_value_is_every_percentile() -> None:
    assert spread([2.5]) == {"p50": 2.5, "p95": 2.5, "p99": 2.5, "most": 2.5, "count": 1}


def test_nothing_measured_is_no_zero() -> None:
    """A figure of zero would look like a very good one."""
    assert spread([]) == {"p50": None, "p95": None, "p99": None, "most": None, "count": 0}
    with pytest.raises(ValueError, match="of nothing"):
        percentile([], 50)


@pytest.mark.parametrize(("ours", "theirs", "expected"), [(6.0, 2.0, 3.0), (None, 2.0, None), (6.0, None, None), (6.0, 0.0, None)])
def test_a_ratio_needs_both(ours: float | None, theirs: float | None, expected: float | None) -> None:
    assert ratio(ours, theirs) == expected


def test_numbers_are_shortened_wherever_they_stand_and_nothing_else_is() -> None:
    read = {"a": [1.23456789, 3], "b": ("x", True, None), "c": 123456.789}

    assert rounded(read) == {"a": [1.235, 3], "b": ["x", True, None], "c": 123500.0}
