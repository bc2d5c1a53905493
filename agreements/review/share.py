"""The values that a review is made of. Every share carries its whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil

from pydantic import BaseModel, ConfigDict, computed_field

#: Below this many, a share says little: pages grey it, and nobody is compared by it.
FEW = 20


class Value(BaseModel):
    """A frozen value of a report. JSON shows all its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_serialization_defaults_required=True)


class Share(Value):
    """Some of a number of things. share: 0 to 1, null where there is nothing to count; few: the whole is below 20."""

    count: int = 0
    of: int = 0

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """Return the part, to six places."""
        return round(self.count / self.of, 6) if self.of else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def few(self) -> bool:
        """Return whether the whole is too small to compare by."""
        return self.of < FEW

    def __add__(self, other: Share) -> Share:
        return Share(count=self.count + other.count, of=self.of + other.of)

    def __sub__(self, other: Share) -> Share:
        return Share(count=self.count - other.count, of=self.of - other.of)


def part(kept: Iterable[bool]) -> Share:
    """Return how many of these are true, of all of them."""
    whole = list(kept)
    return Share(count=sum(whole), of=len(whole))


def ninth_of_ten(values: Sequence[float]) -> float | None:
    """Return the value that 9 of 10 do not exceed (the nearest rank); None for no values."""
    return sorted(values)[ceil(0.9 * len(values)) - 1] if values else None
