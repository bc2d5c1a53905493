"""Figures: percentiles and ratios of measured values."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(values: Sequence[float], percent: float) -> float:
    """Return this percentile of the values. Raises ValueError for no values."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def spread(values: Sequence[float], percents: Sequence[float] = (50, 95, 99)) -> dict[str, float | None]:
    """Return these percentiles by name (`p50`), the largest value and the number of values. None where nothing was measured."""
    found: dict[str, float | None] = {f"p{percent:g}": percentile(values, percent) if values else None for percent in percents}
    return {**found, "most": max(values, default=None), "count": len(values)}


def ratio(ours: float | None, theirs: float | None) -> float | None:
    """Return ours divided by theirs, None where either was not measured."""
    return ours / theirs if ours is not None and theirs else None


def rounded(value: object) -> object:
    """Return the same value with every number rounded to four significant digits, for a file that people read."""
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    return value
