"""The clocks that can run under an agreement, and where each of them stands in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.model import Agreement, Clock, Clocks
from agreements.yaml_reader import Path


@dataclass(frozen=True, slots=True)
class Running:
    """One clock: where it stands, its name, and the number of its leg (0 for the first, whose clocks are the agreement's)."""

    where: Path
    name: str
    clock: Clock
    leg: int = 0


def running(agreement: Agreement) -> Iterator[Running]:
    """Every clock of the agreement, and those that its legs have of their own."""
    for name in Clocks.model_fields:
        yield Running(("clocks", name), name, agreement.clocks.named(name))
    for number, leg in enumerate(agreement.legs):
        for name in type(leg.clocks).model_fields:
            own: Clock | None = getattr(leg.clocks, name)
            if own is not None:
                yield Running(("legs", number, "clocks", name), name, own, number)
