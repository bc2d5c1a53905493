"""What an agreement says and this release of Baton does not carry out. It is said wherever somebody reads or signs the agreement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from agreements.model import Agreement
from agreements.yaml_reader import Path

#: Clause and key -> its name for people, and what happens instead. A test asks of every other key who carries it out.
KEYS: Mapping[tuple[str, str], tuple[str, str]] = {
    ("Reason", "alert_above"): ("Alert about a frequent reason", "nobody is alerted yet"),
}


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """One agreed thing that is not carried out. where: its place in the file; name: for people; instead: what happens instead."""

    where: Path
    name: str
    instead: str


def unfollowed(agreement: Agreement) -> tuple[Unfollowed, ...]:
    """Return everything in this agreement that Baton does not carry out, in the order of the file."""
    return tuple(Unfollowed(where, *KEYS[key]) for where, key in _written(agreement))


def _written(agreement: Agreement) -> Iterator[tuple[Path, tuple[str, str]]]:
    for index, reason in enumerate(agreement.reasons):
        if reason.alert_above is not None:
            yield ("reasons", index, "alert_above"), ("Reason", "alert_above")
