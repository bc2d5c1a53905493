"""The lines of a backtest's tables, for both the terminal and the page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.backtest.report import Backtest, Share


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a table: its subject, whether it is a part of the line above, and a share for each version, or one for both."""

    name: str
    shares: tuple[Share, ...]
    part: bool = False


def verdict_lines(found: Backtest) -> Iterator[Line]:
    """Yield what becomes of all leads under each version; the last line is their sum."""
    sides, nobody = found.sides, Share()
    yield Line("Qualified", tuple(side.qualified for side in sides))
    tiers = dict.fromkeys(name for side in sides for name in side.tiers)
    if len(tiers) > 1:
        yield from (Line(f"tier {name}", tuple(side.tiers.get(name, nobody) for side in sides), part=True) for name in tiers)
    teams = dict.fromkeys(name for side in sides for name in side.teams)
    if len(teams) > 1:
        yield from (Line(f"team {name}", tuple(side.teams.get(name, nobody) for side in sides), part=True) for name in teams)
    if any(side.fast_lane.leads for side in sides):
        yield Line("by asking (fast lane)", tuple(side.fast_lane for side in sides), part=True)
        yield Line("only by asking, not by points", tuple(side.only_by_asking for side in sides), part=True)
    yield Line("Not ready", tuple(side.below for side in sides))
    for name in dict.fromkeys(name for side in sides for name in side.screened):
        yield Line(f"Screened: {name}", tuple(side.screened.get(name, nobody) for side in sides))
    if any(side.elsewhere.leads for side in sides):
        yield Line("For another agreement", tuple(side.elsewhere for side in sides))
    yield Line("All leads", tuple(found.leads for _ in sides))


def move_lines(found: Backtest) -> Iterator[Line]:
    """Yield who qualifies under which of the two versions; nothing where there is only one."""
    if found.moves and found.other:
        yield Line("Under both", (found.moves.both,))
        yield Line(f"Only under {found.draft.reference}", (found.moves.only_draft,))
        yield Line(f"Only under {found.other.reference}", (found.moves.only_other,))
        yield Line("Under neither", (found.moves.neither,))


def steps(found: Backtest) -> list[int]:
    """Return the thresholds that the table shows: every fifth and the agreed ones, until nobody qualifies any more."""
    agreed = {side.threshold for side in found.sides}
    reached = [step for step in range(0, 101, 5) if any(side.curve[step].leads for side in found.sides)]
    return sorted({*reached, *agreed, *([reached[-1] + 5] if reached and reached[-1] < 100 else [])})
