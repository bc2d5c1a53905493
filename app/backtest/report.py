"""The results of a trial of an agreement, as plain values. This module calculates nothing from leads and shows nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agreements.review.chance import interval
from app.backtest.past import LeftOut
from app.backtest.route_report import RoutingFound
from app.charts.parts import Part

#: Fewer won leads than this say little.
FEW = 50


@dataclass(frozen=True, slots=True)
class Share:
    """Some leads: how many, how many of them have a known outcome, and how many of these were won."""

    leads: int = 0
    known: int = 0
    won: int = 0

    @property
    def share(self) -> float | None:
        """Return the won part of the known ones, 0 to 1; None where nothing is known."""
        return self.won / self.known if self.known else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return the range of the share that chance leaves, with 95 % certainty; None where nothing is known."""
        return interval(self.won, of=self.known)

    def __add__(self, other: Share) -> Share:
        return Share(self.leads + other.leads, self.known + other.known, self.won + other.won)


@dataclass(frozen=True, slots=True)
class CriterionFound:
    """One criterion: its place (`fit 1`), its words and points; for how many of the leads that pass the screen it held, how many
    points it gave them in all, and how many leads would be judged otherwise without it."""

    place: str
    words: str
    points: int
    held: int
    given: int
    mattered: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class StageFound:
    """A stage of which the source tells: how many leads reached it or a later one, of those that qualify, and of all others."""

    name: str
    qualified: Part
    others: Part


@dataclass(frozen=True, slots=True)
class SideFound:
    """What one version makes of the leads.

    elsewhere: leads of another agreement. screened: by the rule's name for them. qualified: all; among these, fast_lane: because
    they asked, only_by_asking: without the points. tiers, teams: of the qualified, in the order of the file; the last team is
    the default acceptor, who gets the leads that no segment matches.
    curve: who would qualify at each threshold of the total from 0 to 100, with everything else unchanged. stages: in their order.
    routing: where the qualified leads go; None without a roster.
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
    teams: Mapping[str, Share]
    criteria: tuple[CriterionFound, ...]
    curve: tuple[Share, ...]
    stages: tuple[StageFound, ...] = ()
    routing: RoutingFound | None = None


@dataclass(frozen=True, slots=True)
class Moves:
    """Who qualifies under which of the two versions."""

    both: Share
    only_draft: Share
    only_other: Share
    neither: Share


@dataclass(frozen=True, slots=True)
class GroupFound:
    """Leads with one value: all of them, and who qualifies under the draft and under the other version."""

    value: str
    leads: Share
    draft: Share
    other: Share | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """Past leads judged by a draft, and by another version where there is one.

    origin: where the leads came from. word: what `won` means for them. losses: whether lost leads are recorded. If so, shares are of
    the decided leads, else of all that sales could win. by: the fact that groups the leads; the largest groups come first.
    no_routing: why nobody knows where the leads go; empty where it is known.
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
    no_routing: str = ""

    @property
    def sides(self) -> tuple[SideFound, ...]:
        """Return the draft, and the other version where there is one."""
        return (self.draft, self.other) if self.other else (self.draft,)
