"""The path of a lead as a picture: its stops from left to right, and each clock as a bar between two of them.

This module only calculates positions. A template draws the picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from agreements.model import Agreement, Clock, Rung
from agreements.wording import vocabulary as say
from agreements.wording.clocks import title
from agreements.words import ClockName

#: The stops between which each clock runs. A first attempt counts from the assignment, not from the acceptance.
_RUNS: Mapping[ClockName, tuple[int, int]] = {"delivery": (0, 1), "acceptance": (1, 2), "first_attempt": (1, 3), "outcome": (3, 4)}
_STOPS = ("MQL", "assigned", "accepted", "attempted", "outcome")
_SHORT = {
    "remind": "reminder",
    "tell-manager": "manager told",
    "tell-marketing-ops": "marketing ops told",
    "reassign": "another rep",
    "default-acceptor": "default acceptor",
    "manager-decides": "manager decides",
    "nurture": "nurture",
    "disqualify": "disqualified",
}
_LINE = 17
_ROOMY = 500
"""Below this width all words begin at the left."""
_LETTER = 7.3
"""Width of a letter of a wide font, on average, in the units of the picture."""


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text and where it begins. kind: how it looks."""

    x: float
    y: float
    text: str
    kind: str = "words"
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Bar:
    """A clock between two stops. ticks: the points along it at which something happens."""

    x: float
    y: float
    width: float
    owner: str
    ticks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The positions to draw, in pixels at full size. stops: the positions of the vertical lines, from top to bottom."""

    width: int
    height: float
    stops: tuple[float, ...]
    top: float
    words: tuple[Words, ...]
    bars: tuple[Bar, ...]
    title: str


def ways(agreement: Agreement, *, width: int) -> tuple[Picture, ...]:
    """Return the path of a lead, one picture for each leg, for a space of this width."""
    return tuple(_way(agreement, number, width) for number in range(len(agreement.legs)))


def _way(agreement: Agreement, leg: int, width: int) -> Picture:
    names = [name for name in _RUNS if leg == 0 or name != "delivery"]
    first = min(_RUNS[name][0] for name in names)
    stops = _STOPS[first:]
    margin = max(len(stops[0]), len(stops[-1])) * _LETTER / 2 + 8
    places = [margin + (width - 2 * margin) * at / (len(stops) - 1) for at in range(len(stops))]
    words = [Words(x, 14, stop, "stop", "middle") for x, stop in zip(places, stops, strict=True)]
    bars, y = [], 44.0
    for name in names:
        clock, (begins, ends) = agreement.clock(name, leg), _RUNS[name]
        left, right = places[begins - first], places[ends - first]
        bars.append(Bar(left, y, right - left, clock.owed_by, tuple(left + (right - left) * share / 100 for share in sorted(clock.at))))
        y += 32
        told = list(_told(name, clock, width))
        start = 0 if width < _ROOMY else max(0, min(left, width - max(len(line) for _, line in told) * _LETTER))
        words += [Words(start, y + _LINE * number, line, kind) for number, (kind, line) in enumerate(told)]
        y += _LINE * len(told) + 18
    return Picture(width, y - 22, tuple(places), 22, tuple(words), tuple(bars), f"leg {agreement.legs[leg].name}")


def _told(name: ClockName, clock: Clock, width: int) -> Iterator[tuple[str, str]]:
    """The lines under a bar: whose clock it is, its limits by tier, what happens before and after it is due."""
    lines = [("name", f"{title(name)}, owed by {say.party(clock.owed_by)}")]
    several = len(clock.within) > 1
    for tier, term in sorted(clock.within.items(), key=lambda one: one[0] == "normal"):
        label = ("all others " if tier == "normal" else f"{tier} ") if several else ""
        lines.append(("limit", f"{label}{say.by_when(term)}"))
    if clock.at:
        lines.append(("soft", ", ".join(f"at {share}% {_SHORT[action]}" for share, action in sorted(clock.at.items()))))
    lines.append(("soft", f"missed: {_ladder(clock.when_missed)}"))
    for kind, line in lines:
        yield from ((kind, part) for part in wrap(line, int(width / _LETTER)))


def _ladder(rungs: Sequence[Rung]) -> str:
    return " → ".join(f"{_SHORT[one.do]}{f' ×{one.at_most}' if one.at_most > 1 else ''}" for one in rungs)
