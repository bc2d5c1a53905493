"""Criteria that never mattered: they changed no verdict, or leads with them win no more often."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from agreements.review.chance import Cell, Worth, worth
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import Share

#: Of so many leads at least the criterion must hold before it may be called idle.
HELD = 200
#: So many decided leads at least must have the criterion, and as many must lack it.
DECIDED = 50
#: How often, over all criteria of an agreement, one that is worth half of its points may be named by chance.
CHANCE = 0.01
#: So many standard errors apart two figures are clearly different.
_CLEAR = 1.959964


@dataclass(frozen=True, slots=True)
class CriterionCounted:
    """One criterion. part, place: where the agreement has it. held: leads for which it held; changed: verdicts that it changed.

    cells: the qualified leads with a known outcome that points alone decided about.
    """

    part: Literal["fit", "engagement"]
    place: int
    words: str
    points: int
    held: int
    changed: int
    cells: tuple[Cell, ...]


def idle_criteria(counted: Sequence[CriterionCounted]) -> Iterator[Proposal]:
    """Yield a proposal for each criterion that never mattered."""
    for one in counted:
        if one.points and one.held >= HELD and one.changed == 0:
            yield _proposal(one, (f"It held for {one.held:,} leads and changed the verdict on none of them.",))
        elif one.points and (grounds := _wins_nothing(one, of=len(counted))):
            yield _proposal(one, grounds)


def _proposal(one: CriterionCounted, grounds: tuple[str, ...]) -> Proposal:
    return Proposal(
        kind="criterion",
        subject=one.words,
        what=f"Take out the criterion '{one.words}' ({one.points:+d}): it does not tell which leads become opportunities.",
        grounds=grounds,
        leads=one.held,
        changes=(Change(path=("qualification", one.part, one.place), value=None),),
    )


def _wins_nothing(one: CriterionCounted, *, of: int) -> tuple[str, ...]:
    """Return why leads with it win no more often than the rest of their points says; empty where that is not clear."""
    having, lacking = _sum(one, having=True), _sum(one, having=False)
    if having.of < DECIDED or lacking.of < DECIDED or (found := worth(one.cells)) is None or not _is_idle(found, of=of):
        return ()
    return (
        f"Of the MQLs with it, {shown(having)} became opportunities; of those without it, {shown(lacking)}.",
        f"Among leads with as many other points it adds {_part(found)} of what its points claim.",
    )


def _is_idle(found: Worth, *, of: int) -> bool:
    """Return whether other points clearly matter, this criterion's are clearly worth less than half of that, and are not clearly worth
    anything."""
    enough = NormalDist().inv_cdf(1 - CHANCE / max(of, 1))
    of_rest, of_given, _ = found.spreads
    others_matter = found.rest > enough * of_rest**0.5
    return others_matter and found.apart(part=0.5) > enough and found.given < _CLEAR * of_given**0.5


def _part(found: Worth) -> str:
    return f"{max(0.0, 100 * found.given / found.rest):.0f} %"


def _sum(one: CriterionCounted, *, having: bool) -> Share:
    return sum((cell.won for cell in one.cells if bool(cell.given) == having), Share())
