"""Where past leads would go, as plain values: the load of each rep, the leads that nobody could take, the promises at risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from agreements.words import ClockName
from app.charts.parts import Part


@dataclass(frozen=True, slots=True)
class PromiseFound:
    """A promise of reps. missed: leads for which it would not have been kept, None where nobody knows how long reps take. off: leads
    for which the time would have ended while the rep was closed or away."""

    name: ClockName
    missed: Part | None
    off: Part


@dataclass(frozen=True, slots=True)
class RepFound:
    """What one rep would have got. leads: of the sample; a_week, busiest: leads a week, as many as the whole file would bring.

    week: the Monday of the busiest week, None without a lead. most_open: the most open leads at once; capacity: how many are agreed.
    """

    rep: str
    name: str
    team: str
    leads: int
    a_week: float
    busiest: float
    week: date | None
    most_open: int
    capacity: int
    promises: tuple[PromiseFound, ...] = ()


@dataclass(frozen=True, slots=True)
class RoutingFound:
    """Where the leads of one version would go. sampled: how many leads were routed, of how many; weeks: over how long they came.

    by_team: leads by team, empty for the default acceptor or nobody. why: routed leads by routing's reason. nobody: leads without a
    rep, by reason. waited: leads that did not get their rep at once; longest: the longest wait. promises: of all reps together.
    answers: from how many past acceptances the times were drawn. own_times: reps with enough past answers of their own.
    notes: what a reader has to know beside the figures.
    """

    sampled: Part
    weeks: int
    reps: tuple[RepFound, ...]
    by_team: Mapping[str, int]
    why: Mapping[str, int]
    nobody: Mapping[str, int]
    waited: Part
    longest: timedelta
    promises: tuple[PromiseFound, ...]
    answers: int = 0
    own_times: int = 0
    notes: tuple[str, ...] = ()

    @property
    def idle(self) -> tuple[str, ...]:
        """Return the names of the reps who would have got no lead."""
        return tuple(one.name for one in self.reps if not one.leads)

    @property
    def stands_for(self) -> float:
        """Return how many leads each routed lead stands for."""
        return self.sampled.of / self.sampled.count if self.sampled.count else 1.0
