"""What a check finds: a place in the file, and what to write there instead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from agreements.yaml_reader import Path


class Problem(NamedTuple):
    """What does not fit, or what is to be known: the keys that lead there, and the words."""

    where: Path
    what: str


def names_of(clause: str, count: int) -> tuple[Path, ...]:
    """Where the names of so many tiers, personas or the like stand."""
    return tuple((clause, index, "name") for index in range(count))


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and the places that it hangs on: where one of these, or a part of it, could not be read, nothing is told."""

    where: Path
    what: str
    needs: tuple[Path, ...] = ()
