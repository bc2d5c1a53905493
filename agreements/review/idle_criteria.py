"""Criteria that never mattered: they changed no verdict, all leads had them, or leads with them win no more often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from agreements.clauses.scoring import Qualification
from agreements.review.chance import Cell, Worth, worth
from agreements.review.proposal import Change, Proposal, shown
from agreements.review.share import Share

#: So many leads at least must have a criterion that changed no verdict, and as many must lack it.
HELD = 100
#: So many decided leads at least must have the criterion, and as many must lack it. So many leads must have and miss the threshold.
DECIDED = 50
#: How often, over all criteria of an agreement, one that is worth half of its points may be named by chance.
CHANCE = 0.03
#: A criterion must be worth clearly less than this part of what its points claim.
PART = 0.5
#: A source with so many decided MQLs is also judged alone. There the points must look worth less than half, by so many standard errors.
OF_SOURCE, LOOKS_LESS = 200, 1.0
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


def idle_criteria(counted: Sequence[CriterionCounted], rules: Qualification) -> Iterator[Proposal]:
    """Yield a proposal for each criterion that never mattered, but at most one of each kind. rules: the agreement's.

    Two criteria that always come together each change no verdict while the other one stays. And points for nothing blur what the other
    points are worth, so only the clearest is named.
    """
    asked = [one for one in counted if one.points]
    silent = [one for one in asked if _changed_nothing(one)]
    for one in sorted(silent, key=lambda each: -each.having.of)[:1]:
        ground = f"It held for {one.having.of:,} of {_decided_by_points(one)}, and changed the verdict on none of them."
        yield _proposal(one, f"Take out {_named(one)}: it decided about no lead.", (ground,))
    for one in [one for one in asked if one.part == "fit" and one not in silent and _all_have_it(one)][:1]:
        fewer = _fewer_points(rules, one.points)
        what = f"Take out {_named(one)}{' and change the threshold by as many points' if fewer else ''}: every lead has it."
        yield _proposal(one, what, (f"It held for all of {_decided_by_points(one)}, so it does not tell them apart.",), fewer)
    found = [(worth_of, one) for one in asked if one not in silent and (worth_of := _worth_nothing(one, of=len(counted)))]
    for worth_of, one in sorted(found, key=lambda each: -each[0].less)[:1]:
        what = f"Take out {_named(one)}: it does not tell which leads become opportunities."
        yield _proposal(one, what, tuple(_grounds(one, worth_of)))


def _named(one: CriterionCounted) -> str:
    return f"the criterion '{one.words}' ({one.points:+d} points)"


def _decided_by_points(one: CriterionCounted) -> str:
    return f"the {(one.having + one.lacking).of:,} leads that points alone decided about"


def _changed_nothing(one: CriterionCounted) -> bool:
    """Return whether it changed no verdict, where leads differ: in having it, and in reaching the threshold."""
    return one.changed == 0 and one.having.of >= HELD and one.lacking.of >= HELD and _some_reach(one)


def _all_have_it(one: CriterionCounted) -> bool:
    """Return whether every lead has it, where leads differ in reaching the threshold."""
    return one.lacking.of == 0 and one.having.of >= 2 * HELD and _some_reach(one)


def _some_reach(one: CriterionCounted) -> bool:
    whole = one.having + one.lacking
    return DECIDED <= whole.count <= whole.of - DECIDED


def _fewer_points(rules: Qualification, points: int) -> tuple[Change, ...]:
    """Return the changes of the threshold that keep who qualifies; none where a channel has a threshold of its own."""
    asked = {"total": rules.mql.total, "fit_at_least": rules.mql.fit_at_least}
    kept = {name: value - points for name, value in asked.items() if name == "total" or name in rules.mql.model_fields_set}
    if rules.by_channel or not 0 <= kept["total"] <= 100:
        return ()
    return tuple(Change(path=("qualification", "mql", name), value=value) for name, value in kept.items())


def _proposal(one: CriterionCounted, what: str, grounds: tuple[str, ...], more: tuple[Change, ...] = ()) -> Proposal:
    return Proposal(
        kind="criterion",
        subject=one.words,
        what=what,
        grounds=grounds,
        leads=one.held,
        changes=(Change(path=("qualification", one.part, one.place), value=None), *more),
    )


def _worth_nothing(one: CriterionCounted, *, of: int) -> Worth | None:
    """Return what it is worth where leads with it win no more often than the rest of their points says; None where that is not clear."""
    if _sum(one, having=True).of < DECIDED or _sum(one, having=False).of < DECIDED:
        return None
    found = worth(one.cells, part=PART)
    if found is None or not _is_idle(found, of=of) or any(_may_matter(cells) for cells in one.cells_of.values()):
        return None
    return found


def _grounds(one: CriterionCounted, found: Worth) -> Iterator[str]:
    having, lacking = _sum(one, having=True), _sum(one, having=False)
    yield f"Of the MQLs with it, {shown(having)} became opportunities; of those without it, {shown(lacking)}."
    part = f"{max(0.0, 100 * found.given / found.rest):.0f} %"
    yield f"Among leads with as many other points it adds {part} of what its points claim."


def _is_idle(found: Worth, *, of: int) -> bool:
    """Return whether other points clearly matter, this criterion's are clearly worth less than half of that, and are not clearly worth
    anything."""
    enough = NormalDist().inv_cdf(1 - CHANCE / max(of, 1))
    return found.others > enough and found.less > enough and found.some < _CLEAR


def _may_matter(cells: Sequence[Cell]) -> bool:
    """Return whether the criterion may matter for the leads of this source, though it does not for all leads together."""
    if sum(cell.won.of for cell in cells) < OF_SOURCE or (found := worth(cells, part=PART)) is None:
        return False
    return found.less < LOOKS_LESS


def _sum(one: CriterionCounted, *, having: bool) -> Share:
    return sum((cell.won for cell in one.cells if bool(cell.given) == having), Share())
