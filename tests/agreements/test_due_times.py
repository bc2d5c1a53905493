"""Many due times at once are those of each start alone: every kind of term, with breaks, nights, and changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest

from agreements.backtest.columns import INSTANT
from agreements.backtest.due_times import due_times, working_between
from agreements.calendar.durations import parse_term
from agreements.calendar.working_time import WorkingCalendar

CALENDARS: dict[str, dict[str, Any]] = {
    "office with a break": {"timezone": "Europe/London", "hours": {"mon-fri": "09:00-12:30, 13:30-17:30"}, "holidays": ["*-12-25"]},
    "short Friday": {"timezone": "Europe/Berlin", "hours": {"mon-thu": "08:00-18:00", "fri": "08:00-14:00"}},
    "nights": {"timezone": "America/New_York", "hours": {"mon-fri": "22:00-06:00"}},
    "day and night": {"timezone": "UTC", "hours": {"mon-sun": "00:00-24:00"}},
    "one day a week": {"timezone": "Pacific/Apia", "hours": {"wed": "10:00-10:30"}},
    "special days": {
        "timezone": "Asia/Kolkata",
        "hours": {"mon-sat": "09:30-18:30"},
        "special_days": {"2026-03-30": "closed", "2026-04-05": "10:00-12:00"},
    },
}  # fmt: skip
TERMS = (
    "5 working minutes", "4 working hours", "12 working hours", "0 working minutes", "40 working hours", "1 working day", "10 working days",
    "2.5 working days", "0.25 working days", "end of same working day", "2 hours", "3 days",
)  # fmt: skip


def starts() -> list[datetime | None]:
    """Any instants around both changes of the clock, and the openings and closings themselves."""
    dice, first = Random(11), datetime(2026, 3, 20, tzinfo=UTC)
    anyhow = [first + timedelta(seconds=dice.randrange(40 * 86_400), microseconds=dice.randrange(1_000_000)) for _ in range(150)]
    edges = [
        first + timedelta(days=day, hours=hour, minutes=minute) for day in range(20) for hour in (8, 9, 12, 17, 22) for minute in (0, 30)
    ]
    return [*anyhow, None, *edges]


@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("name", CALENDARS)
def test_due_times_at_once_are_those_of_each_start(name: str, term: str) -> None:
    calendar, agreed, all_starts = WorkingCalendar.from_clause(CALENDARS[name]), parse_term(term), starts()

    found = due_times(agreed, pl.Series(all_starts, dtype=INSTANT), calendar).to_list()

    singly = [start and agreed.after(start, calendar) for start in all_starts]
    most = timedelta(microseconds=1 if "days" in term else 0)
    wrong = [
        (start, one, other)
        for start, one, other in zip(all_starts, found, singly, strict=True)
        if (one is None) != (other is None) or (one and other and abs(one - other) > most)
    ]
    assert not wrong


@pytest.mark.parametrize("name", CALENDARS)
def test_working_time_at_once_is_that_of_each_pair(name: str) -> None:
    calendar, dice, all_starts = WorkingCalendar.from_clause(CALENDARS[name]), Random(5), starts()
    ends = [start and start + timedelta(minutes=dice.randrange(-300, 9_000)) for start in all_starts]

    found = working_between(pl.Series(all_starts, dtype=INSTANT), pl.Series(ends, dtype=INSTANT), calendar).to_list()

    singly = [
        start and end and calendar.between(start, end) // timedelta(microseconds=1) for start, end in zip(all_starts, ends, strict=True)
    ]
    assert found == singly


@pytest.mark.parametrize("term", ["4 working hours", "2 hours", "end of same working day"])
def test_without_any_start_nothing_is_due(term: str) -> None:
    calendar = WorkingCalendar.from_clause(CALENDARS["nights"])

    assert due_times(parse_term(term), pl.Series([None, None], dtype=INSTANT), calendar).to_list() == [None, None]
    assert due_times(parse_term(term), pl.Series([], dtype=INSTANT), calendar).to_list() == []
