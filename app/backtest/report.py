"""What a trial of an agreement found out, as plain values. Nothing here is reckoned from leads, and nothing is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.backtest.past import LeftOut

#: Fewer won leads than this tell little.
FEW = 50
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """Some leads: how many, of how many it is known what became of them, and how many of these were won."""

    leads: int = 0
    known: int = 0
    won: int = 0

    @property
    def share(self) -> float | None:
        """The won part of the known ones, 0 to 1; None where nothing is known."""
        return self.won / self.known if self.known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Between what the share lies that chance plays around, with 95 % certainty; None where nothing is known.

        Source: the score interval of E. B. Wilson (1927), which holds for few leads and for shares near 0 and 1.
        """
        if not self.known:
            return None
        n, part = self.known, self.won / self.known
        middle = part + _Z * _Z / (2 * n)
        spread = _Z * math.sqrt(part * (1 - part) / n + _Z * _Z / (4 * n * n))
        whole = 1 + _Z * _Z / n
        return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)

    def __add__(self, other: Share) -> Share:
        return Share(self.leads + other.leads, self.known + other.known, self.won + other.won)


@dataclass(frozen=True, slots=True)
class CriterionFound:
    """One criterion: where it stands (`fit 1`), its words and points; for how many of the leads that pass the screen it held,
    how many points it gave them in all, and how many leads would be judged otherwise without it."""

    place: str
    words: str
    points: int
    held: int
    given: int
    mattered: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class SideFound:
    """What one version makes of the leads.

    elsewhere: those that another agreement is for. screened: by what the rule calls them. qualified: all, and of these
    fast_lane: by asking, only_by_asking: without the points. tiers: of the qualified, in the order of the file.
    curve: for each threshold of the total from 0 to 100 who would qualify, all else being as it is.
    """

    reference: str
    threshold: int
    elsewhere: Share
    screened: Mapping[str, Share]
    qualified: Share
    below: Share
    fast_lane: Share
    only_by_asking: Share
    tiers: Mapping[str, Share]
    criteria: tuple[CriterionFound, ...]
    curve: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Moves:
    """Who qualifies under which of the two versions."""

    both: Share
    only_draft: Share
    only_other: Share
    neither: Share


@dataclass(frozen=True, slots=True)
class GroupFound:
    """Leads of one value: all of them, and who qualifies under the draft and under the other version."""

    value: str
    leads: Share
    draft: Share
    other: Share | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """Past leads judged by a draft, and by another version where there is one.

    origin: where the leads came from. word: what `won` means for them. losses: whether lost leads are told: shares are then of
    the decided leads, else of all that sales could win. by: the fact of the groups, the largest of which come first.
    """

    origin: str
    leads: Share
    word: str
    losses: bool
    by: str
    draft: SideFound
    other: SideFound | None = None
    moves: Moves | None = None
    groups: tuple[GroupFound, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = field(default_factory=tuple)

    @property
    def sides(self) -> tuple[SideFound, ...]:
        """The draft, and the other version where there is one."""
        return (self.draft, self.other) if self.other else (self.draft,)
