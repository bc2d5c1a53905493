"""Criteria that never mattered: they changed no verdict, or leads with them win no more often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from agreements.review.chance import Cell, Worth, worth
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import Share

#: So many leads at least must have a criterion that changed no verdict, and as many must lack it.
HELD = 200
#: So many decided leads at least must have the criterion, and as many must lack it. So many leads must have and miss the threshold.
DECIDED = 50
#: How often, over all criteria of an agreement, one that is worth half of its points may be named by chance.
CHANCE = 0.01
#: A source with so many decided MQLs is also judged alone. There the points must look worth less than half, by so many standard errors.
OF_SOURCE, LOOKS_LESS = 200, 1.5
#: So many standard errors apart two figures are clearly different.
_CLEAR = 1.959964


@dataclass(frozen=True, slots=True)
class CriterionCounted:
    """One criterion. part, place: where the agreement has it. held: leads for which it held; changed: verdicts that it changed.

    having, lacking: of the leads that points alone decided about, with and without it, those that became MQLs. cells: the MQLs among
    them with a known outcome; cells_of: the same by source.
    """

    part: Literal["fit", "engagement"]
    place: int
    words: str
    points: int
    held: int
    changed: int
    having: Share
    lacking: Share
    cells: tuple[Cell, ...]
    cells_of: Mapping[str, tuple[Cell, ...]]


def idle_criteria(counted: Sequence[CriterionCounted]) -> Iterator[Proposal]:
    """Yield a proposal for each criterion that never mattered. Of those that changed no verdict, only the most frequent one is named.

    Two criteria that always come together each change no verdict while the other one stays.
    """
    silent = [one for one in counted if one.points and _changed_nothing(one)]
    for one in sorted(silent, key=lambda each: -each.having.of)[:1]:
        grounds = (
            f"It held for {one.having.of:,} of the {(one.having + one.lacking).of:,} leads that points alone decided about,"
            " and changed the verdict on none of them."
        )
        yield _proposal(one, "it decided about no lead", (grounds,))
    for one in counted:
        if one.points and one not in silent and (found := _wins_nothing(one, of=len(counted))):
            yield _proposal(one, "it does not tell which leads become opportunities", found)


def _changed_nothing(one: CriterionCounted) -> bool:
    """Return whether it changed no verdict, where leads differ: in having it, and in reaching the threshold."""
    whole = one.having + one.lacking
    differ = one.having.of >= HELD and one.lacking.of >= HELD and DECIDED <= whole.count <= whole.of - DECIDED
    return one.changed == 0 and differ


def _proposal(one: CriterionCounted, why: str, grounds: tuple[str, ...]) -> Proposal:
    return Proposal(
        kind="criterion",
        subject=one.words,
        what=f"Take out the criterion '{one.words}' ({one.points:+d} points): {why}.",
        grounds=grounds,
        leads=one.held,
        changes=(Change(path=("qualification", one.part, one.place), value=None),),
    )


def _wins_nothing(one: CriterionCounted, *, of: int) -> tuple[str, ...]:
    """Return why leads with it win no more often than the rest of their points says; empty where that is not clear."""
    having, lacking = _sum(one, having=True), _sum(one, having=False)
    if having.of < DECIDED or lacking.of < DECIDED or (found := worth(one.cells)) is None or not _is_idle(found, of=of):
        return ()
    if any(_may_matter(cells) for cells in one.cells_of.values()):
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


def _may_matter(cells: Sequence[Cell]) -> bool:
    """Return whether the criterion may matter for the leads of this source, though it does not for all leads together."""
    if sum(cell.won.of for cell in cells) < OF_SOURCE or (found := worth(cells)) is None:
        return False
    return found.apart(part=0.5) < LOOKS_LESS


def _part(found: Worth) -> str:
    return f"{max(0.0, 100 * found.given / found.rest):.0f} %"


def _sum(one: CriterionCounted, *, having: bool) -> Share:
    return sum((cell.won for cell in one.cells if bool(cell.given) == having), Share())
