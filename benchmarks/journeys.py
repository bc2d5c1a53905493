"""Journeys: carry many leads at once, answer each as soon as its run is parked, until all have ended."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agreements.words import GivenAnswer, NoWord, WaitKind
from benchmarks.onlooker import RunState, Standing
from benchmarks.people import Taken, answer, capture
from benchmarks.stand import Stand

LOOK_SECONDS = 0.1
#: How long all leads may stand still, in seconds.
PATIENCE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Journey:
    """A lead's path. answers: the answer and its fields, by the kind of wait. stage, run_name: its end in Baton and at Prefect.
    trail: the kinds of events that its trail must have."""

    name: str
    answers: Mapping[WaitKind | NoWord, tuple[GivenAnswer, dict[str, str]]]
    stage: str
    trail: tuple[str, ...]

    @property
    def run_name(self) -> str:
        """Return the name of the state in which its run ends."""
        return self.stage.capitalize()


#: From inquiry to opportunity in three attempts.
TO_OPPORTUNITY = Journey(
    "from inquiry to opportunity",
    {"acceptance": ("accepted", {}), "first_attempt": ("opportunity", {})},
    "opportunity",
    ("captured", "qualified", "assigned", "notified", "accepted", "opportunity"),
)
#: One wait with one answer, in two attempts.
ONE_WAIT = Journey(
    "one wait with one answer",
    {"acceptance": ("rejected", {"reason": "not-icp"})},
    "disqualified",
    ("captured", "qualified", "assigned", "notified", "rejected", "disqualified"),
)


@dataclass
class Crowd:
    """Leads on the same journey. seconds: from the capture of the first until the run of the last has ended."""

    leads: list[Taken] = field(default_factory=list)
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    @property
    def a_second(self) -> float | None:
        """Return leads a second, None without leads."""
        return len(self.leads) / self.seconds if self.leads else None


def travel(
    stand: Stand,
    journey: Journey,
    *,
    count: int,
    at_once: int,
    add_for_seconds: float = math.inf,
    tell: Callable[[int], None] = lambda ended: None,
) -> Crowd:
    """Store `count` leads, keep `at_once` of them under way, and wait until all have ended.

    add_for_seconds: after this time no further lead is stored, so that a slow machine ends too. Raises TimeoutError when nothing
    moves for PATIENCE_SECONDS.
    """
    crowd, under_way, answered = Crowd(), dict[int, Taken](), set[tuple[int, str]]()
    began = moved = time.monotonic()
    while True:
        while len(under_way) < at_once and len(crowd.leads) < count and time.monotonic() - began < add_for_seconds:
            taken = capture(stand.box)
            crowd.leads.append(taken)
            under_way[taken.handoff_id] = taken
        if not under_way:
            break
        standings = stand.onlooker.standings(under_way)
        states = stand.onlooker.runs(one.run_id for one in standings.values())
        acted = sum(_go_on(stand, journey, one, states.get(one.run_id), answered) for one in standings.values())
        ended = [one.handoff_id for one in standings.values() if _has_ended(one, states.get(one.run_id))]
        for handoff_id in ended:
            del under_way[handoff_id]
        tell(len(crowd.leads) - len(under_way))
        if acted or ended:
            moved = time.monotonic()
        elif time.monotonic() - moved > PATIENCE_SECONDS:
            raise TimeoutError(f"{len(under_way)} leads do not move, such as {_shown(standings, states)}.\n{stand.tails()}")
        time.sleep(LOOK_SECONDS)
    crowd.seconds = time.monotonic() - began
    crowd.wrong = _wrong_ends(stand, journey, crowd.leads)
    return crowd


def _go_on(stand: Stand, journey: Journey, at: Standing, state: RunState | None, answered: set[tuple[int, str]]) -> bool:
    """Answer for the rep, once, where the run is parked for this answer."""
    if at.answered or at.wait_kind not in journey.answers or (at.handoff_id, at.wait_kind) in answered:
        return False
    if state is None or not state.rests_for(at.wait_kind):
        return False
    kind, fields = journey.answers[at.wait_kind]
    answered.add((at.handoff_id, at.wait_kind))
    if not answer(stand.box, at.assignment_id, kind, **fields):
        raise RuntimeError(f"the answer {kind} to handoff {at.handoff_id} does not count")
    return True


def _has_ended(at: Standing, state: RunState | None) -> bool:
    return at.has_ended and state is not None and state.type in ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def _shown(standings: Mapping[int, Standing], states: Mapping[str, RunState]) -> str:
    return "; ".join(f"{one} with {states.get(one.run_id)}" for one in list(standings.values())[:3])


def _wrong_ends(stand: Stand, journey: Journey, leads: list[Taken]) -> list[str]:
    """Return what is wrong at the end in either database, empty where all is well."""
    ids = [one.handoff_id for one in leads]
    standings, trails = stand.onlooker.standings(ids), stand.onlooker.events_of(ids)
    states = stand.onlooker.runs(one.run_id for one in standings.values())
    wrong = []
    for ident in ids:
        at, kinds = standings[ident], trails.get(ident, [])
        if at.stage != journey.stage:
            wrong.append(f"handoff {ident} ended in stage {at.stage}")
        if missing := [kind for kind in journey.trail if kind not in kinds]:
            wrong.append(f"the trail of handoff {ident} lacks {', '.join(missing)}")
        if states.get(at.run_id) != RunState("COMPLETED", journey.run_name):
            wrong.append(f"the run of handoff {ident} ended as {states.get(at.run_id)}")
    return wrong
