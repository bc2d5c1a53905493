"""Giving out a tier at the reps' pace: today's share, and the morning on which the rest comes to its turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.calendar.working_time import WorkingCalendar
from agreements.release import Pace, planned_days, planned_opening, share_began

OFFICE = WorkingCalendar.from_clause(
    {"timezone": "UTC", "hours": {"mon-fri": "09:00-12:00, 13:00-17:00"}, "holidays": ["2027-02-03"]},
)


def at(text: str) -> datetime:
    """A day and time in February 2027, of which the 1st is a Monday and the 3rd a holiday."""
    day, time = text.split()
    return datetime.fromisoformat(f"2027-02-{int(day):02}T{time}").replace(tzinfo=UTC)


#: Now, what was given before, how many are left of three for each working day.
SHARES = [
    ("1 09:00", [], 3),
    ("1 10:00", ["1 09:00"], 2),
    ("1 16:59", ["1 09:00", "1 09:00", "1 15:00"], 0),
    ("1 12:30", ["1 09:00"], 2),
    ("1 18:00", ["1 09:00", "1 09:00", "1 09:00"], 3),
    ("2 08:00", ["1 09:00", "1 16:00"], 3),
    ("2 09:00", ["1 09:00", "1 16:00"], 3),
    ("6 12:00", [], 3),
    ("1 10:00", ["1 09:00"] * 5, 0),
]
#: Leads before it in line, what is left of this (or the next) working day, what a whole day takes, now, and its turn.
TURNS = [
    (0, 3, 10, "1 08:00", "1 09:00"),
    (2, 3, 10, "1 12:30", "1 13:00"),
    (0, 0, 10, "1 10:00", "2 09:00"),
    (9, 0, 10, "1 10:00", "2 09:00"),
    (10, 0, 10, "1 10:00", "4 09:00"),
    (25, 5, 10, "1 08:00", "5 09:00"),
    (3, 3, 10, "1 18:00", "4 09:00"),
    (0, 0, 0, "5 16:00", "8 09:00"),
    (20, 0, 10, "5 16:00", "10 09:00"),
]


@pytest.mark.parametrize(("now", "given", "share"), SHARES)
def test_what_is_left_of_a_share(now: str, given: list[str], share: int) -> None:
    began = share_began(OFFICE, at(now))

    assert max(0, 3 - sum(at(one) >= began for one in given)) == share


@pytest.mark.parametrize("now", ["1 08:00", "1 12:30", "1 17:00", "2 16:59", "2 17:00", "3 12:00", "4 09:00", "6 12:00", "8 10:00"])
def test_a_share_begins_where_the_working_day_before_ended(now: str) -> None:
    began, day = share_began(OFFICE, at(now)), OFFICE.end_of_working_day(at(now))

    assert OFFICE.end_of_working_day(began) == day
    assert OFFICE.end_of_working_day(began - timedelta(microseconds=1)) == began < day


def test_after_a_year_without_a_working_day_a_share_begins_somewhere_in_that_year() -> None:
    opened = WorkingCalendar.from_clause({"timezone": "UTC", "hours": {}, "special_days": {"2027-02-01": "09:00-17:00"}})

    assert share_began(opened, at("1 10:00")) < at("1 09:00") - timedelta(days=300)


@pytest.mark.parametrize(("ahead", "left", "per_day", "now", "turn"), TURNS)
def test_the_opening_at_which_a_turn_is_planned(ahead: int, left: int, per_day: int, now: str, turn: str) -> None:
    assert planned_opening(ahead=ahead, left=left, per_day=per_day, now=at(now), calendar=OFFICE) == at(turn)


def test_a_list_of_two_thousand_at_forty_a_day_takes_fifty_working_days() -> None:
    plan = [planned_opening(ahead=one, left=0, per_day=40, now=at("1 10:00"), calendar=OFFICE) for one in range(2000)]

    assert plan == sorted(plan)
    assert len(set(plan)) == 50
    assert {plan.count(day) for day in set(plan)} == {40}


def plan(*paces: Pace, per_rep: int = 3, ahead: int = 0, count: int, now: str = "1 10:00") -> list[tuple[int, dict[str, int]]]:
    return [(one.day.day, dict(one.given)) for one in planned_days(paces, per_rep=per_rep, ahead=ahead, count=count, now=at(now))]


ANA, BEN = Pace("ana", OFFICE, left=3), Pace("ben", OFFICE, left=1)
AWAY = Pace("cleo", OFFICE, left=3, is_away=lambda instant: instant < at("4 12:00"))


@pytest.mark.parametrize(
    ("paces", "ahead", "count", "days"),
    [
        ([ANA], 0, 0, []),
        ([ANA], 0, 2, [(1, {"ana": 2})]),
        ([ANA], 0, 7, [(1, {"ana": 3}), (2, {"ana": 3}), (4, {"ana": 1})]),  # the 3rd is a holiday
        ([ANA], 4, 3, [(2, {"ana": 2}), (4, {"ana": 1})]),  # four are in the queue already
        ([ANA, BEN], 0, 9, [(1, {"ana": 3, "ben": 1}), (2, {"ana": 3, "ben": 2})]),  # two of Ben's share are gone today
        ([ANA, AWAY], 0, 10, [(1, {"ana": 3}), (2, {"ana": 3}), (4, {"ana": 3}), (5, {"ana": 1})]),
        ([AWAY], 0, 4, [(5, {"cleo": 3}), (8, {"cleo": 1})]),
        ([Pace("dan", OFFICE, 0)], 0, 1, [(2, {"dan": 1})]),
        ([], 0, 5, []),
        ([Pace("gone", OFFICE, 3, is_away=lambda instant: True)], 0, 5, []),
    ],
)
def test_the_days_on_which_a_list_is_given_out(paces: list[Pace], ahead: int, count: int, days: list[tuple[int, dict[str, int]]]) -> None:
    assert plan(*paces, ahead=ahead, count=count) == days


def test_after_hours_todays_share_is_the_next_days() -> None:
    assert plan(ANA, count=4, now="1 18:00") == [(2, {"ana": 3}), (4, {"ana": 1})]


def test_every_lead_has_its_day_and_no_rep_more_than_agreed() -> None:
    paces = [Pace(f"rep{number}", OFFICE, left=10) for number in range(4)]

    days = plan(*paces, per_rep=10, count=2000)

    assert sum(sum(given.values()) for _, given in days) == 2000
    assert {tuple(given.values()) for _, given in days} == {(10, 10, 10, 10)}
    assert len(days) == 50
