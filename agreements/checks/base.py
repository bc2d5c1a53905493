"""The result of a check: a place in the file, and what to write there instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from agreements.yaml_reader import Path


class Problem(NamedTuple):
    """A problem or a note: the keys that lead to its place, and the message."""

    where: Path
    what: str


def names_of(clause: str, count: int) -> tuple[Path, ...]:
    """Return the places of the names of that many tiers, personas or the like."""
    return tuple((clause, index, "name") for index in range(count))


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and the places it depends on. If one of these, or a part of it, could not be read, the problem is not reported."""

    where: Path
    what: str
    needs: tuple[Path, ...] = ()
