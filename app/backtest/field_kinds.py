"""The values of the agreement's fields as columns: numbers, yes and no, or text where a field holds several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from agreements.lead import FieldValue, is_within_bounds

_NOTHING, _TEXT, _INT, _FLOAT, _BOOL = range(5)
KIND_OF: dict[type, int] = {type(None): _NOTHING, str: _TEXT, int: _INT, float: _FLOAT, bool: _BOOL}
_TYPES: dict[frozenset[int], Any] = {
    frozenset({_INT}): pl.Int64,
    frozenset({_FLOAT}): pl.Float64,
    frozenset({_INT, _FLOAT}): pl.Float64,
    frozenset({_BOOL}): pl.Boolean,
}


@dataclass(slots=True)
class Kinds:
    """The kinds of values that each field of the agreement was seen to hold."""

    seen: dict[str, set[int]] = field(default_factory=dict)

    def add(self, name: str, *kinds: int) -> None:
        """Record that this field holds such values somewhere."""
        self.seen.setdefault(name, set()).update(kinds)

    def typed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the fields as numbers, or as yes and no, where they hold nothing else; as text where kinds are mixed."""
        seen = {name: frozenset(kinds - {_NOTHING}) for name, kinds in self.seen.items() if name in frame.columns}
        types = {name: _TYPES.get(kinds, pl.String) for name, kinds in seen.items()}
        return frame.with_columns(
            (pl.col(name) == "yes") if kind == pl.Boolean else pl.col(name).cast(kind) for name, kind in types.items() if kind != pl.String
        )


def text_of(value: FieldValue) -> str | None:
    """Return a field's value as text, None for nothing: a column of mixed kinds holds such texts."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and "e" in repr(value):
        return f"{value:.20f}".rstrip("0") if abs(value) < 1 else f"{value:.1f}"
    return None if value is None else str(value)


def column_of(name: str, values: Sequence[FieldValue]) -> pl.Series:
    """Return these values as one column: numbers, or yes and no, where there is nothing else; otherwise text.

    A value larger than a lead may have is unknown, as it is to the rules.
    """
    values = [value if is_within_bounds(value) else None for value in values]
    kinds = frozenset(KIND_OF[type(value)] for value in values) - {_NOTHING}
    kind = _TYPES.get(kinds, pl.String)
    return pl.Series(name, [text_of(value) for value in values] if kind == pl.String else values, dtype=kind)
