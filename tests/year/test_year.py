"""A year of a company: no lead waits for somebody who will not come, and everybody gets a fair part.

Some weeks are played in `make test-long`, the whole year in `make nightly` (BATON_YEAR=1). A fault put in on purpose must be found.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from agreements.choosing import Choosing
from agreements.model import Agreement
from agreements.roster import Person
from agreements.routing import Candidate, Rules
from agreements.turns import Turns
from app import clock_parts
from storage.tables import Assignment, Handoff
from tasks.background.leaving import load_roster
from tasks.steps import candidates
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import agree_on
from tests.examples import only_at_night
from tests.lived import wrong_ages
from tests.year import life as lives
from tests.year.audit import audit
from tests.year.company import Company, company
from tests.year.life import Life, Watched, plan_leads

pytestmark = pytest.mark.long
Patch = pytest.MonkeyPatch


@dataclass(frozen=True, slots=True)
class Size:
    """How much is played. per_day: leads beside two lists of list_size; per_rep: how many open leads a rep may have.

    away_within: how many days after the start each rep is absent for the first time, at the latest.
    """

    days: int
    reps: int
    per_day: int
    list_size: int
    per_rep: int = 15
    away_within: int = 40


A_YEAR = Size(days=365, reps=40, per_day=12, list_size=2000)
SOME_WEEKS = Size(days=28, reps=18, per_day=5, list_size=30)
SOME_DAYS = Size(days=12, reps=18, per_day=7, list_size=15, per_rep=2, away_within=8)


async def lived(box: Toolbox, time: SteppedTime, size: Size) -> tuple[Company, Life]:
    """Play that many days, and return the company and what happened."""
    house = company(MONDAY, days=size.days, reps=size.reps, seed=size.days, per_rep=size.per_rep, away_within=size.away_within)
    agree_on(box, house.agreed)
    driver = Watched(box, time, house, random.Random(size.reps))
    for at in house.changes():
        driver.plan(at, lambda: load(box, house))
    plan_leads(driver, per_day=size.per_day, lists=2, list_size=size.list_size)
    await driver.run(until=house.end, revisits=True)
    return house, driver.life


def load(box: Toolbox, house: Company) -> None:
    """Load the roster of this instant. Whoever is missing hands over what they have open."""
    load_roster(box, house.roster(box.read_now(lambda session, now: now)), hand_over=True)


async def test_some_weeks(box: Toolbox, time: SteppedTime) -> None:
    house, life = await lived(box, time, SOME_WEEKS)

    assert audit(house, life, box) == []
    assert wrong_ages(box) == {}
    assert life.leads > 150
    assert {one.row.tier for one in life.given} == {"hot", "normal", "list"}


@pytest.mark.skipif(not os.environ.get("BATON_YEAR"), reason="half an hour: make nightly plays it")
@pytest.mark.timeout(7200)
async def test_a_year_of_forty_reps_in_six_zones(box: Toolbox, time: SteppedTime) -> None:
    house, life = await lived(box, time, A_YEAR)

    assert audit(house, life, box) == []
    assert life.leads > 7_000


def nobody_is_closed(patch: Patch) -> None:
    """Turns alone count, whoever is at work."""
    patch.setattr(Rules, "_there", lambda self, free: (free, ""))


def nobody_is_away(patch: Patch) -> None:
    """Routing does not know absences."""
    patch.setattr(Person, "is_away", lambda self, at: False)


def nobody_is_full(patch: Patch) -> None:
    """Routing counts no open leads."""
    patch.setattr(Candidate, "full", property(lambda self: False))


def nobody_leaves(patch: Patch) -> None:
    """The first roster stays in force."""
    real, loaded = load_roster, list[Any]()

    def load_once(*given: Any, **named: Any) -> Any:
        loaded.append(given)
        return real(*given, **named) if len(loaded) == 1 else None

    patch.setitem(globals(), "load_roster", load_once)


def absences_begin_unseen(patch: Patch) -> None:
    """Nothing is handed over, neither at once nor by the clock, which looks every minute of real time."""

    async def nothing(box: Toolbox) -> int:
        return 0

    patch.setattr(lives, "hand_over_absences", nothing)
    patch.setattr(clock_parts, "hand_over_absences", nothing)


def turns_are_forgotten(patch: Patch) -> None:
    """Nobody writes down who got the last lead."""
    patch.setattr("storage.turns.give", lambda *given, **named: None)


def newcomers_catch_up(patch: Patch) -> None:
    """Turns are lifetime counts: whoever has had the fewest leads is next, however late they came."""
    counts: Counter[str] = Counter()

    def fewest(self: Turns, weights: Mapping[str, int]) -> str:
        rep = min(weights, key=lambda one: counts[one])
        counts[rep] += 1
        return rep

    patch.setattr(Turns, "next_of", fewest)


def hot_leads_wait(patch: Patch) -> None:
    """A hot lead waits for five minutes, as if everybody were away."""
    real = candidates.choosing

    def late(session: Session, handoff: Handoff, agreement: Agreement, earlier: list[Assignment], *, now: datetime) -> Choosing:
        seen, until = real(session, handoff, agreement, earlier, now=now), handoff.created_at + timedelta(minutes=5)
        if handoff.tier != "hot" or now >= until:
            return seen
        return replace(seen, candidates=tuple(replace(one, away=True, back_at=until) for one in seen.candidates))

    patch.setattr("tasks.steps.assign.choosing", late)


#: Faults, and what the audit says of them. The last ones wait for the night.
FAULTS: list[tuple[Callable[[Patch], None], str]] = [
    (nobody_is_away, "who is away"),
    (turns_are_forgotten, "were due"),
    (hot_leads_wait, "hot lead"),
    (nobody_is_closed, "who is closed while"),
    (nobody_is_full, "who is full"),
    (nobody_leaves, "who is gone"),
    (absences_begin_unseen, "whose absence began"),
]
TRIED = [pytest.param(*one, marks=[only_at_night()] if number > 2 else []) for number, one in enumerate(FAULTS)]


@pytest.mark.parametrize(("fault", "found"), TRIED, ids=lambda one: getattr(one, "__name__", ""))
async def test_the_audit_finds_a_fault_put_in_on_purpose(
    box: Toolbox, time: SteppedTime, monkeypatch: Patch, fault: Callable[[Patch], None], found: str
) -> None:
    fault(monkeypatch)

    house, life = await lived(box, time, SOME_DAYS)

    assert [one for one in audit(house, life, box) if found in one]
