"""The calendar gives what counting minute by minute gives, at the changes of clocks, the holidays and the nights of many zones."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.calendar.working_time import CalendarError, WorkingCalendar

RUNS = min(int(os.environ.get("BATON_PROPERTY_RUNS", "200")) // 4, 1000)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
#: Zones, and the local dates around which their clocks change, or a date is left out.
CHANGES = [
    ("Europe/London", "2026-03-29"), ("Europe/London", "2026-10-25"), ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"), ("Australia/Lord_Howe", "2026-04-05"), ("Australia/Lord_Howe", "2026-10-04"),
    ("Pacific/Apia", "2011-12-30"), ("Pacific/Kiritimati", "1994-12-31"), ("Pacific/Kwajalein", "1993-08-21"),
    ("America/Sao_Paulo", "2015-10-18"), ("America/Sao_Paulo", "2016-02-21"), ("Asia/Tehran", "2022-03-22"),
    ("America/Havana", "2026-03-08"), ("America/Havana", "2026-11-01"), ("Antarctica/Troll", "2026-03-29"),
    ("America/Caracas", "2016-05-01"), ("Asia/Pyongyang", "2018-05-04"), ("Pacific/Chatham", "2026-09-27"),
    ("Asia/Beirut", "2026-03-29"), ("Africa/Casablanca", "2026-02-15"), ("Africa/Juba", "2021-01-31"),
    ("Asia/Kathmandu", "2026-01-15"), ("UTC", "2026-02-28"),
]  # fmt: skip


class Slowly:
    """The same calendar by going through every minute of some days."""

    def __init__(self, zone: str, hours: dict[str, list[str]], closed: set[date], special: dict[date, list[str]], around: date) -> None:
        self.first = datetime.combine(around, time(), tzinfo=UTC) - 8 * DAY
        self.walls = [(self.first + n * MINUTE).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for n in range(16 * 24 * 60)]
        self.earliest: dict[datetime, int] = {}
        for minute, wall in enumerate(self.walls):
            self.earliest.setdefault(wall, minute)
        self.day_of: list[date | None] = [None] * len(self.walls)
        for day in sorted({wall.date() for wall in self.walls})[1:-2]:
            usual = [] if day in closed else hours.get(WEEKDAYS[day.weekday()], [])
            for interval in special.get(day, usual):
                opens, closes = (self.minute_of(day, clock) for clock in interval.split("-"))
                closes = closes if interval[6:] > interval[:5] else self.minute_of(day + DAY, interval[6:])
                for minute in range(opens, closes):
                    self.day_of[minute] = self.day_of[minute] or day

    def minute_of(self, day: date, clock: str) -> int:
        wall = datetime.combine(day, time()) + timedelta(hours=int(clock[:2]), minutes=int(clock[3:]))
        if wall in self.earliest:
            return self.earliest[wall]
        before = max(minute for minute, one in enumerate(self.walls) if one < wall)
        return before + (wall - self.walls[before]) // MINUTE

    def open_minutes(self, start: int) -> list[int]:
        return [minute for minute in range(start, len(self.walls)) if self.day_of[minute]]

    def at(self, minute: int) -> datetime:
        return self.first + minute * MINUTE


def clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def intervals(draw: Any) -> list[str]:
    cuts = sorted(draw(st.lists(st.integers(0, 24 * 4 - 1), max_size=6, unique=True)))
    pairs = list(pairwise(cuts))[::2]
    if pairs and draw(st.booleans()):
        pairs[-1] = (pairs[-1][0], min(cuts[0], 6 * 4))  # past midnight
    return [f"{clock(opens * 15)}-{clock(closes * 15)}" for opens, closes in pairs if opens != closes]


@settings(max_examples=RUNS, deadline=None, database=None)
@given(
    st.sampled_from(CHANGES),
    st.dictionaries(st.sampled_from(WEEKDAYS), intervals(), min_size=1),
    st.sets(st.integers(-3, 3), max_size=2),
    st.dictionaries(st.integers(-3, 3), intervals(), max_size=2),
    st.integers(0, 4 * 24 * 60),
    st.integers(1, 6 * 60),
)
def test_every_answer_is_what_counting_minute_by_minute_gives(
    change: tuple[str, str],
    hours: dict[str, list[str]],
    closed: set[int],
    special: dict[int, list[str]],
    after: int,
    length: int,
) -> None:
    zone, around = change[0], date.fromisoformat(change[1])
    holidays, specials = {around + n * DAY for n in closed}, {around + n * DAY: part for n, part in special.items()}
    clause = {"timezone": zone, "hours": hours, "holidays": sorted(holidays), "special_days": specials}
    try:
        calendar = WorkingCalendar.from_clause(clause)
    except CalendarError:
        return  # hours that overlap over midnight, or none at all
    slow = Slowly(zone, hours, holidays, specials, around)
    begin = 5 * 24 * 60 + after
    minutes = slow.open_minutes(begin)
    if len(minutes) <= length:
        return

    start, due = slow.at(begin), slow.at(minutes[length - 1] + 1)

    assert calendar.add(start, length * MINUTE) == due
    assert calendar.between(start, due) == length * MINUTE
    assert calendar.next_opening(start) == slow.at(minutes[0])
    assert calendar.is_open(start) == (minutes[0] == begin)
    closing = next(minute for minute in minutes if slow.day_of[minute + 1] is None) + 1
    assert calendar.next_closing(start) == slow.at(closing)
    last = max(minute for minute in minutes if slow.day_of[minute] == slow.day_of[minutes[0]]) + 1
    assert calendar.end_of_working_day(start) == slow.at(last)


@pytest.mark.parametrize(("zone", "around"), CHANGES)
def test_a_day_that_is_always_open_has_as_many_minutes_as_really_pass(zone: str, around: str) -> None:
    always = WorkingCalendar.from_clause({"timezone": zone, "hours": {"mon-sun": "00:00-24:00"}})
    start = datetime.fromisoformat(f"{around}T00:00+00:00") - 3 * DAY

    assert always.between(start, start + 6 * DAY) == 6 * DAY
