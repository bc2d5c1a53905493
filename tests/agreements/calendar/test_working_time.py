"""What working time promises, by examples; the tables beside this file hold facts from other projects."""

import csv
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from agreements.calendar.working_time import CalendarError, NaiveDatetime, WorkingCalendar

HERE = Path(__file__).parent
LONDON = {"timezone": "Europe/London", "hours": {"mon-fri": "09:00-12:30, 13:30-17:30"}}


def rows(name: str) -> list[Any]:
    with (HERE / name).open(encoding="utf-8", newline="") as table:
        return [pytest.param(row, id=row["case"]) for row in csv.DictReader(table)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def length(text: str) -> timedelta:
    hours, minutes, seconds = map(int, text.split(":"))
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)


def calendar_of(row: dict[str, str]) -> WorkingCalendar:
    special = row.get("special_day", "")
    return WorkingCalendar.from_clause(
        {
            "timezone": row["zone"],
            "hours": dict(part.split(" ", 1) for part in row["hours"].split("; ")),
            "holidays": row.get("holidays", "").split(),
            "special_days": dict([special.split(": ", 1)]) if special else {},
        }
    )


def calendar(**changes: Any) -> WorkingCalendar:
    return WorkingCalendar.from_clause({**LONDON, **changes})


@pytest.mark.parametrize("row", rows("working_time_cases.csv"))
def test_working_time_is_what_other_projects_found(row: dict[str, str]) -> None:
    open_hours, start = calendar_of(row), at(row["start"])
    expected = row["expected"]

    match row["ask"]:
        case "add":
            assert at(expected) == open_hours.add(start, length(row["given"]))
        case "between":
            assert length(expected) == open_hours.between(start, at(row["given"]))
        case "next opening":
            assert at(expected) == open_hours.next_opening(start)
        case "next closing":
            assert at(expected) == open_hours.next_closing(start)
        case unknown:
            pytest.fail(f"no such question: {unknown}")


@pytest.mark.parametrize("row", rows("local_time_cases.csv"))
def test_a_skipped_local_time_moves_forward_and_a_repeated_one_is_the_first(row: dict[str, str]) -> None:
    """Shown by a calendar that opens at the local time, or closes at it where that is the end of a day."""
    day, _, local = row["local"].partition("T")
    ends_day = local == "24:00:00"
    special = {day: "00:00-24:00" if ends_day else f"{local}-23:00"}
    shop = WorkingCalendar.from_clause({"timezone": row["zone"], "special_days": special})
    before = at(f"{day}T00:00+00:00") - timedelta(days=1)

    assert at(row["expected"]) == (shop.next_closing(before) if ends_day else shop.next_opening(before))


@pytest.mark.parametrize("row", rows("local_time_cases.csv"))
def test_an_instant_written_in_local_time_is_read_the_same_way(row: dict[str, str]) -> None:
    day, _, local = row["local"].partition("T")
    midnight = at(day) + timedelta(days=local == "24:00:00")
    written = midnight if local == "24:00:00" else at(row["local"])
    always = calendar(hours={"mon-sun": "00:00-24:00"})

    assert at(row["expected"]) == always.next_opening(written.replace(tzinfo=ZoneInfo(row["zone"])))


@pytest.mark.parametrize("row", rows("paused_clock_cases.csv"))
def test_pauses_do_not_count(row: dict[str, str]) -> None:
    clock, start = calendar_of(row), at(row["start"])
    pauses = [(at(paused), at(resumed)) for paused, resumed in (p.split("/") for p in row["pauses"].split())]

    assert at(row["expected_due"]) == clock.add(start, length(row["duration"]), pauses)
    if row["measured_at"]:
        assert length(row["expected_counted"]) == clock.between(start, at(row["measured_at"]), pauses)


def test_pauses_may_overlap_come_in_any_order_and_be_outside_hours() -> None:
    """Monday 09:00, two hours to go, paused 10:00 to 11:30 in two entries, and all of the night before."""
    pauses = [
        (at("2026-06-01T10:30+01:00"), at("2026-06-01T11:30+01:00")),
        (at("2026-05-31T20:00+01:00"), at("2026-06-01T06:00+01:00")),
        (at("2026-06-01T10:00+01:00"), at("2026-06-01T11:00+01:00")),
    ]
    start = at("2026-06-01T09:00+01:00")

    assert at("2026-06-01T12:30+01:00") == calendar().add(start, timedelta(hours=2), pauses)
    assert timedelta(hours=2) == calendar().between(start, at("2026-06-01T12:30+01:00"), iter(pauses))


def test_a_clock_of_no_length_waits_for_the_end_of_the_pause() -> None:
    pause = (at("2026-06-01T10:00Z"), at("2026-06-01T10:30Z"))

    assert pause[1] == calendar().add(pause[0], timedelta(), [pause])


def test_a_pause_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="swap the two"):
        calendar().add(at("2026-06-01T09:00Z"), timedelta(hours=1), [(at("2026-06-02T09:00Z"), at("2026-06-01T09:00Z"))])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-06-01T16:30+01:00", "2026-06-01T17:30+01:00"),
        ("2026-06-01T12:00+01:00", "2026-06-01T14:00+01:00"),
        ("2026-06-01T11:30+01:00", "2026-06-01T12:30+01:00"),
        ("2026-06-01T12:30+01:00", "2026-06-01T14:30+01:00"),
        ("2026-05-30T12:00+01:00", "2026-06-01T10:00+01:00"),
    ],
)
def test_an_hour_that_ends_exactly_at_closing_is_due_at_closing(start: str, expected: str) -> None:
    assert at(expected) == calendar().add(at(start), timedelta(hours=1))


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-06-01T10:00+01:00", "2026-06-01T10:00+01:00"),
        ("2026-06-01T17:30+01:00", "2026-06-02T09:00+01:00"),
        ("2026-06-01T13:00+01:00", "2026-06-01T13:30+01:00"),
        ("2026-05-30T13:00+01:00", "2026-06-01T09:00+01:00"),
    ],
)
def test_no_time_at_all_is_due_at_once_or_at_the_next_opening(start: str, expected: str) -> None:
    assert at(expected) == calendar().add(at(start), timedelta())
    assert at(expected) == calendar().add_days(at(start), 0)


@pytest.mark.parametrize(
    ("start", "days", "expected", "why"),
    [
        ("2026-06-01T11:00+01:00", 1, "2026-06-02T11:00+01:00", "the same share of an equal day"),
        ("2026-06-05T11:00+01:00", 10, "2026-06-19T11:00+01:00", "ten open days over two weekends"),
        ("2026-12-23T11:00+00:00", 1, "2026-12-24T09:52:00+00:00", "2 of 7.5 hours are 52 of 195 minutes"),
        (
            "2026-12-24T10:37:30+00:00",
            1,
            "2026-12-29T13:45:00+00:00",
            "half of a short day is half of a long one",
        ),
        ("2026-06-01T13:00+01:00", 1, "2026-06-02T12:30+01:00", "in a break: the share before it"),
        ("2026-06-01T09:00+01:00", 1, "2026-06-01T17:30+01:00", "from opening, one day is that day"),
        ("2026-05-30T12:00+01:00", 1, "2026-06-01T17:30+01:00", "from a Saturday, one day is Monday"),
        ("2026-06-01T18:00+01:00", 1, "2026-06-02T17:30+01:00", "from an evening, one day is the next"),
    ],
)
def test_working_days_are_shares_of_open_days(start: str, days: int, expected: str, why: str) -> None:
    holidays = ["2026-12-25", "2026-12-28"]
    uk = calendar(holidays=holidays, special_days={date(2026, 12, 24): "09:00-12:15"})

    assert at(expected) == uk.add_days(at(start), days), why


def test_half_a_working_day_is_half_of_its_open_time() -> None:
    assert at("2026-06-01T14:45+01:00") == calendar().add_days(at("2026-06-01T10:00+01:00"), Fraction(1, 2))


def test_the_smallest_share_of_a_day_is_still_due_after_its_opening() -> None:
    """A microsecond of 7.5 hours is less than one of the two hours that follow."""
    short = calendar(special_days={"2026-06-02": "09:00-11:00"})

    assert at("2026-06-02T09:00:00.000001+01:00") == short.add_days(at("2026-06-01T09:00:00.000001+01:00"), 1)


def test_pauses_do_not_count_towards_working_days() -> None:
    """A pause of a whole day moves the due time by a day."""
    pause = (at("2026-06-02T00:00+01:00"), at("2026-06-03T00:00+01:00"))

    assert at("2026-06-03T11:00+01:00") == calendar().add_days(at("2026-06-01T11:00+01:00"), 1, [pause])


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-06-01T10:00+01:00", "2026-06-01T17:30+01:00"),
        ("2026-06-01T06:00+01:00", "2026-06-01T17:30+01:00"),
        ("2026-06-01T13:00+01:00", "2026-06-01T17:30+01:00"),
        ("2026-06-01T17:30+01:00", "2026-06-02T17:30+01:00"),
        ("2026-06-06T10:00+01:00", "2026-06-08T17:30+01:00"),
    ],
)
def test_the_end_of_the_working_day_is_its_last_closing(start: str, expected: str) -> None:
    assert at(expected) == calendar().end_of_working_day(at(start))


def test_the_small_hours_belong_to_the_day_the_night_shift_started_on() -> None:
    night = calendar(hours={"mon-thu": "23:00-07:00"}, holidays=["2026-06-02"])

    assert at("2026-06-02T07:00+01:00") == night.end_of_working_day(at("2026-06-02T02:00+01:00"))
    assert at("2026-06-03T23:00+01:00") == night.next_opening(at("2026-06-02T07:00+01:00"))


def test_intervals_that_touch_do_not_close_in_between() -> None:
    weekend = calendar(hours={"sat": "08:00-24:00", "sun": "00:00-06:00, 06:00-10:00"})

    assert at("2026-06-07T10:00+01:00") == weekend.next_closing(at("2026-06-06T09:00+01:00"))
    assert at("2026-06-07T00:00+01:00") == weekend.end_of_working_day(at("2026-06-06T09:00+01:00"))
    assert weekend.is_open(at("2026-06-07T00:00+01:00"))


@pytest.mark.parametrize(("instant", "expected"), [("08:59:59", False), ("09:00", True), ("12:29:59", True), ("12:30", False)])
def test_it_is_open_at_its_opening_and_no_longer_at_its_closing(instant: str, expected: bool) -> None:
    assert expected is calendar().is_open(at(f"2026-06-01T{instant}+01:00"))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24), ("2026-03-28", 24)])
def test_a_day_has_as_many_hours_as_really_pass(day: str, hours: int) -> None:
    always = calendar(hours={"mon-sun": "00:00-24:00"})
    midnight = at(day).replace(tzinfo=ZoneInfo("Europe/London"))

    assert timedelta(hours=hours) == always.between(midnight, midnight + timedelta(days=1))
    assert timedelta() == always.between(midnight + timedelta(days=1), midnight)


def test_hours_on_a_date_that_the_zone_left_out_are_not_worked() -> None:
    """Apia went from Thursday 29 to Saturday 31 December 2011; the night shift of Thursday was whole."""
    apia = {"timezone": "Pacific/Apia"}
    office = WorkingCalendar.from_clause({**apia, "hours": {"mon-fri": "09:00-17:00"}})
    watch = WorkingCalendar.from_clause({**apia, "hours": {"thu": "23:00-07:00"}})
    week = at("2011-12-26T00:00-10:00"), at("2012-01-02T00:00+14:00")

    assert timedelta(hours=4 * 8) == office.between(*week)
    assert timedelta(hours=8) == watch.between(*week)
    assert watch.is_open(at("2011-12-31T06:59+14:00"))


def test_hours_that_a_skipped_time_moves_onto_each_other_count_once() -> None:
    """02:15 to 02:45 was skipped, moves to 03:15, and falls into the hours after it."""
    sunday = {"sun": "02:15-02:45, 03:00-04:00"}
    office = WorkingCalendar.from_clause({"timezone": "America/New_York", "hours": sunday})

    assert timedelta(hours=1) == office.between(at("2026-03-08T00:00-05:00"), at("2026-03-09T00:00-04:00"))


def test_a_night_that_a_skipped_midnight_moves_into_the_morning_counts_once() -> None:
    """In São Paulo 00:00 to 01:00 was skipped on 2015-10-18."""
    hours = {"sat": "22:00-00:45", "sun": "01:00-05:00"}
    office = WorkingCalendar.from_clause({"timezone": "America/Sao_Paulo", "hours": hours})
    weekend = at("2015-10-17T12:00-03:00"), at("2015-10-18T12:00-02:00")

    assert timedelta(hours=6) == office.between(*weekend)


def test_special_days_win_over_holidays_which_win_over_weekly_hours() -> None:
    uk = calendar(
        holidays={"country": "GB", "subdivision": "ENG"},
        special_days={"2026-12-24": "09:00-12:00", "2026-12-25": "10:00-11:00", date(2026, 12, 29): "closed"},
    )

    worked = [uk.between(at(f"2026-12-{day}T00:00Z"), at(f"2026-12-{day + 1}T00:00Z")) for day in range(23, 31)]

    assert [timedelta(hours=hours) for hours in (7.5, 3, 1, 0, 0, 0, 0, 7.5)] == worked


def test_public_holidays_are_those_of_the_subdivision() -> None:
    """St Andrew's Day is a holiday in Scotland only."""
    monday = at("2026-11-30T10:00Z")

    assert not calendar(holidays={"country": "GB", "subdivision": "SCT"}).is_open(monday)
    assert calendar(holidays={"country": "gb", "subdivision": "ENG"}).is_open(monday)


def test_holidays_can_be_kept_as_dates() -> None:
    uk = calendar(holidays={"country": "GB", "subdivision": "ENG"})

    kept = uk.holidays_between(date(2026, 12, 25), date(2027, 1, 1))

    assert [date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28), date(2027, 1, 1)] == list(kept)
    assert kept == calendar(holidays=list(kept)).holidays_between(kept[0], kept[-1])


@pytest.mark.parametrize("fraction", [Fraction(1, 2), 0.5])
def test_a_share_of_the_time_until_due_is_a_share_of_working_time(fraction: Fraction | float) -> None:
    """Friday 16:30 to Monday 12:00 holds four working hours; two have passed on Monday at 10:00."""
    start, due = at("2026-06-05T16:30+01:00"), at("2026-06-08T12:00+01:00")

    assert at("2026-06-08T10:00+01:00") == calendar().share(start, due, fraction)
    assert start == calendar().share(start, due, 0)
    assert due == calendar().share(start, due, 1)


def test_a_share_leaves_out_pauses() -> None:
    start, due = at("2026-06-01T09:00+01:00"), at("2026-06-01T12:00+01:00")
    pause = (at("2026-06-01T09:30+01:00"), at("2026-06-01T10:30+01:00"))

    assert at("2026-06-01T11:00+01:00") == calendar().share(start, due, 0.5, iter([pause]))


def test_a_share_of_no_working_time_is_the_due_time() -> None:
    due = at("2026-06-07T12:00+01:00")

    assert due == calendar().share(at("2026-06-06T12:00+01:00"), due, 0.5)


@pytest.mark.parametrize("fraction", [-0.1, 1.5])
def test_a_share_outside_nought_to_one_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        calendar().share(at("2026-06-01T09:00Z"), at("2026-06-01T12:00Z"), fraction)


def test_answers_are_in_utc() -> None:
    answer = calendar().add(at("2026-06-01T09:00+01:00"), timedelta(hours=1))

    assert answer.tzinfo is UTC


@pytest.mark.parametrize("ask", ["next_opening", "next_closing", "is_open", "end_of_working_day"])
def test_an_instant_without_a_zone_is_refused(ask: str) -> None:
    with pytest.raises(NaiveDatetime, match=r"write an offset, as in 2026-06-01T09:00:00\+00:00"):
        getattr(calendar(), ask)(datetime(2026, 6, 1, 9))  # noqa: DTZ001


def test_naive_ends_and_pauses_are_refused() -> None:
    aware, naive = at("2026-06-01T09:00Z"), at("2026-06-01T10:00")

    with pytest.raises(NaiveDatetime):
        calendar().between(aware, naive)
    with pytest.raises(NaiveDatetime):
        calendar().add(aware, timedelta(hours=1), [(aware, naive)])


def test_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative"):
        calendar().add(at("2026-06-01T09:00Z"), timedelta(minutes=-1))
    with pytest.raises(ValueError, match="cannot be negative"):
        calendar().add_days(at("2026-06-01T09:00Z"), -1)


#: From when, and when the next working day begins: on the same day only before its first opening, and not after a break.
NEXT_DAYS = [
    ("2026-06-01T08:59+01:00", "2026-06-01T09:00+01:00"),
    ("2026-06-01T09:00+01:00", "2026-06-02T09:00+01:00"),
    ("2026-06-01T13:15+01:00", "2026-06-02T09:00+01:00"),
    ("2026-06-05T18:00+01:00", "2026-06-08T09:00+01:00"),
    ("2026-10-23T18:00+01:00", "2026-10-26T09:00+00:00"),
]


@pytest.mark.parametrize(("since", "begins"), NEXT_DAYS)
def test_the_next_working_day_begins_with_its_first_opening(since: str, begins: str) -> None:
    assert at(begins) == calendar().next_working_day(at(since))


def test_a_night_shift_begins_on_the_evening_of_its_day() -> None:
    night = calendar(hours={"mon-fri": "23:00-07:00"})

    assert at("2026-06-02T23:00+01:00") == night.next_working_day(at("2026-06-02T03:00+01:00"))


def test_a_calendar_that_never_opens_again_says_so() -> None:
    once = WorkingCalendar.from_clause({"timezone": "UTC", "special_days": {"2026-06-01": "09:00-17:00"}})
    after = at("2026-06-02T00:00Z")

    assert at("2026-06-01T17:00Z") == once.next_closing(at("2026-05-01T00:00Z"))
    assert timedelta() == once.between(after, at("2046-01-01T00:00Z"))
    for ask in (once.next_opening, once.next_closing, once.next_working_day, once.end_of_working_day):
        with pytest.raises(CalendarError, match="nothing is open for 5 years"):
            ask(after)
    with pytest.raises(CalendarError, match="nothing is open for 5 years"):
        once.add_days(at("2026-06-01T10:00Z"), 2)


def test_a_calendar_that_is_always_open_says_that_it_never_closes() -> None:
    with pytest.raises(CalendarError, match="never closes within 5 years"):
        calendar(hours={"mon-sun": "00:00-24:00"}).next_closing(at("2026-06-01T09:00Z"))


@pytest.mark.parametrize("instant", ["0001-01-01T00:00Z", "9999-12-31T23:59Z"])
def test_the_ends_of_time_are_refused(instant: str) -> None:
    with pytest.raises(ValueError, match="years 2 to 9998"):
        calendar().next_opening(at(instant))


def test_time_that_runs_past_the_last_year_is_refused() -> None:
    with pytest.raises(CalendarError, match="nothing is open"):
        calendar().add(at("9998-12-01T00:00Z"), timedelta(days=400))


def test_two_calendars_of_the_same_words_are_equal() -> None:
    first, second = calendar(holidays=["2026-06-01"]), calendar(holidays=["2026-06-01"])
    first.next_opening(at("2026-06-01T09:00Z"))

    assert first == second
    assert {first} == {first, second}


def test_many_years_are_answered_without_keeping_every_day() -> None:
    always = WorkingCalendar.from_clause({"timezone": "UTC", "hours": {"mon-sun": "00:00-24:00"}})
    start = at("1990-01-01T00:00Z")

    assert start + timedelta(days=11_000) == always.add(start, timedelta(days=11_000))
