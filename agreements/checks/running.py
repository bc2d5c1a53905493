"""The clocks that can run under an agreement, and the place of each in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from agreements.clauses.clocks import LEG_CLOCK_NAMES
from agreements.model import Agreement, Clock
from agreements.words import CLOCK_NAMES, ClockName
from agreements.yaml_reader import Path


@dataclass(frozen=True, slots=True)
class Running:
    """One clock: its place, its name, and the number of its leg (0 for the first, which uses the agreement's clocks)."""

    where: Path
    name: ClockName
    clock: Clock
    leg: int = 0


def running(agreement: Agreement) -> Iterator[Running]:
    """Yield every clock of the agreement, and every leg's own clocks."""
    for name in CLOCK_NAMES:
        yield Running(("clocks", name), name, agreement.clocks.named(name))
    for number, leg in enumerate(agreement.legs):
        for name in LEG_CLOCK_NAMES:
            own: Clock | None = getattr(leg.clocks, name)
            if own is not None:
                yield Running(("legs", number, "clocks", name), name, own, number)
