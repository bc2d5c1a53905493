"""Leads that come while nobody is at work are spread over the morning: no rep gets the whole night's leads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agreements.calendar.working_time import WorkingCalendar
from agreements.loading import as_published, read_agreement
from agreements.release import morning_turn
from agreements.routing import Candidate, Rules, route
from agreements.turns import Turns
from tests.agreements.test_generations import STARTER
from tests.conftest import AGREEMENT

EXAMPLE = read_agreement(AGREEMENT)
NIGHT = datetime(2027, 2, 1, 22, tzinfo=UTC)
TEN = timedelta(minutes=10)


def night(leads: int, opens: Mapping[str, float], *, pace: timedelta = TEN, capacity: int = 1000) -> Counter[str]:
    """How many of a night's leads each rep gets. opens: in how many hours each rep is at work."""
    reps = [Candidate(name, False, NIGHT, False, NIGHT + timedelta(hours=hours), 0, capacity) for name, hours in opens.items()]
    found: Counter[str] = Counter()
    turns = Turns()
    for _ in range(leads):
        now = [replace(one, waiting=found[one.rep], open_leads=found[one.rep]) for one in reps]
        choice = route(EXAMPLE, now, declined=frozenset(), rules=Rules(pace=pace, turns=turns))
        turns = turns.after(choice.rep, choice.shared_by)
        found[choice.rep] += 1
    return found


FOUR_AT_NINE = {"early": 10.0, "ana": 11.0, "ben": 11.0, "cleo": 11.0, "dan": 11.0}


@pytest.mark.parametrize(
    ("leads", "early", "others"),
    [(1, 1, [0]), (6, 6, [0]), (11, [6, 7], [1, 2]), (40, [12, 13], [6, 7]), (100, [24, 25], [18, 19])],
)
def test_the_rep_who_opens_first_gets_what_fits_before_the_others_open(leads: int, early: int | list[int], others: list[int]) -> None:
    found = night(leads, FOUR_AT_NINE)

    assert found["early"] in ([early] if isinstance(early, int) else early)
    assert {found[name] for name in ("ana", "ben", "cleo", "dan")} <= set(others)


def test_reps_who_open_together_share_a_night_evenly() -> None:
    assert set(night(40, {"ana": 10, "ben": 10, "cleo": 10, "dan": 10}).values()) == {10}


def test_the_rep_at_the_other_end_of_the_world_gets_leads_only_when_a_morning_is_full() -> None:
    opens = {"ana": 2.0, "ben": 9.0}

    assert night(42, opens) == {"ana": 42}
    assert night(44, opens)["ben"] in (0, 1, 2)
    assert night(60, opens)["ben"] in (8, 9, 10)


def test_without_a_pace_whoever_opens_first_gets_all_of_them() -> None:
    assert night(40, FOUR_AT_NINE, pace=timedelta()) == {"early": 40}


def test_a_rep_who_is_full_gets_no_more() -> None:
    assert set(night(15, FOUR_AT_NINE, capacity=3).values()) == {3}


LONDON = WorkingCalendar.from_clause({"timezone": "Europe/London", "hours": {"mon-fri": "09:00-12:30, 13:30-17:30"}})


@pytest.mark.parametrize(
    ("day", "hour", "ahead", "expected"),
    [
        (1, 22, 0, "Mon 22:00"),
        (1, 22, 1, "Tue 09:10"),
        (1, 22, 7, "Tue 10:10"),
        (1, 22, 30, "Tue 15:00"),
        (5, 20, 3, "Mon 09:30"),
        (2, 10, 9, "Tue 10:00"),
        (2, 12.75, 2, "Tue 13:50"),
    ],
)
def test_the_leads_of_a_night_follow_each_other_from_the_opening_on(day: int, hour: float, ahead: int, expected: str) -> None:
    at = datetime(2027, 2, day, tzinfo=UTC) + timedelta(hours=hour)

    assert f"{morning_turn(at, ahead=ahead, pace=TEN, calendar=LONDON):%a %H:%M}" == expected


def test_only_versions_of_the_new_generation_are_spread() -> None:
    assert as_published(STARTER, generation=1).routing.overnight_pace is None
    assert str(read_agreement(STARTER).routing.overnight_pace) == "10 minutes"
    assert read_agreement(STARTER.replace("default_acceptor", "overnight_pace: none, default_acceptor")).routing.overnight_pace is None
