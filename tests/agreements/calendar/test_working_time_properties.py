"""What holds for every calendar and instant. BATON_PROPERTY_RUNS says how many of them are tried."""

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.calendar.working_time import CalendarError, WorkingCalendar

RUNS = int(os.environ.get("BATON_PROPERTY_RUNS", "200"))
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "UTC",
    "Europe/London",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
WEEK_MINUTES = 7 * 24 * 60

checked = settings(max_examples=RUNS, deadline=None, database=None)
portions = st.integers(1, 3_000_000)
gaps = st.timedeltas(timedelta(), timedelta(days=5))
#: Days on which one of the zones changes its clocks or leaves the date out; half of the tries are around one of them.
CHANGES = [date.fromisoformat(day) for day in ("2026-03-29", "2026-11-01", "2015-10-18", "2022-03-22", "2026-10-04", "2011-12-30")]
#: The day around which everything happens, so that holidays and special days lie where the time passes.
around = st.shared(st.sampled_from(CHANGES) | st.dates(date(2010, 1, 1), date(2031, 1, 1)), key="around")
odd_instants = st.builds(
    lambda day, seconds: datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=-2, microseconds=seconds),
    around,
    st.integers(0, 4 * 24 * 60 * 60 * 1_000_000),
)
instants = odd_instants | odd_instants.map(lambda at: at.replace(second=0, microsecond=0))


class Clock(NamedTuple):
    """A calendar, and how much of a week it is open by its weekly hours."""

    calendar: WorkingCalendar
    weekly: timedelta


def clock_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def cut_up(cuts: list[int]) -> tuple[dict[str, str], timedelta]:
    """Cuts the week into open and closed stretches, so that shifts pass midnight and may touch at it."""
    cuts = sorted(cuts)
    hours: dict[str, list[str]] = {}
    whole = 0
    for opens, closes in zip(cuts[::2], cuts[1::2], strict=False):
        day, opening = divmod(opens, 24 * 60)
        closing = min(closes - day * 24 * 60, opening + 24 * 60 - 1)
        whole += closing - opening
        text = clock_text(closing if closing <= 24 * 60 else closing - 24 * 60)
        hours.setdefault(DAYS[day], []).append(f"{clock_text(opening)}-{text}")
    return {day: ", ".join(intervals) for day, intervals in hours.items()}, timedelta(minutes=whole)


def clock_of(around: date, zone: str, week: tuple[dict[str, str], timedelta], holidays: Any, special: dict[int, str]) -> Clock:
    """The calendar of these hours; holidays and special days are so many days after the one around which all happens."""
    if isinstance(holidays, list):
        holidays = [day if isinstance(day, str) else around + timedelta(days=day) for day in holidays]
    clause = {"timezone": zone, "hours": week[0], "holidays": holidays}
    days = {around + timedelta(days=day): intervals for day, intervals in special.items()}
    try:
        return Clock(WorkingCalendar.from_clause({**clause, "special_days": days}), week[1])
    except CalendarError:  # they overlap
        return Clock(WorkingCalendar.from_clause(clause), week[1])


SPECIAL = ("closed", "10:00-12:00", "00:00-24:00", "22:30-02:30", "01:15-02:45, 03:05-04:00")
COMMON = (
    ({"mon-fri": "09:00-12:30, 13:30-17:30"}, timedelta(hours=40)),
    ({"mon-sun": "00:00-24:00"}, timedelta(hours=168)),
    ({"mon-thu": "23:00-07:00", "sat": "02:15-02:45, 03:00-04:00"}, timedelta(hours=33.5)),
    ({"sat,sun": "00:00-03:00, 23:30-00:00"}, timedelta(hours=7)),
)
weeks = st.sampled_from(COMMON) | st.lists(st.integers(0, WEEK_MINUTES - 1), min_size=2, max_size=14, unique=True).map(cut_up)
near = st.integers(-3, 12)
clocks = st.builds(
    clock_of,
    around,
    st.sampled_from(ZONES),
    weeks,
    st.lists(near | st.sampled_from(("*-03-29", "*-11-01")), max_size=3) | st.just({"country": "US"}),
    st.dictionaries(near, st.sampled_from(SPECIAL), max_size=3),
)


def part_of(clock: Clock, portion: int) -> timedelta:
    """So many millionths of the clock's weekly time; even ones in whole minutes, so that closings are met."""
    exact = clock.weekly * portion / 1_000_000
    return exact if portion % 2 else timedelta(minutes=ceil(exact / timedelta(minutes=1)))


def lies_in_opening_closing(calendar: WorkingCalendar, due: datetime) -> bool:
    return calendar.is_open(due - timedelta(microseconds=1))


@checked
@given(clocks, instants, portions)
def test_add_then_between_gives_the_duration_back(clock: Clock, start: datetime, portion: int) -> None:
    duration = part_of(clock, portion)

    due = clock.calendar.add(start, duration)

    assert duration == clock.calendar.between(start, due)


@checked
@given(clocks, instants, portions)
def test_due_instants_lie_after_an_opening_and_not_after_its_closing(clock: Clock, start: datetime, portion: int) -> None:
    due = clock.calendar.add(start, part_of(clock, portion))

    assert lies_in_opening_closing(clock.calendar, due)
    assert start < due


@checked
@given(clocks, instants, gaps, portions, portions, st.integers(0, 4))
def test_order_is_kept(clock: Clock, start: datetime, gap: timedelta, one: int, other: int, n: int) -> None:
    duration, longer = sorted((part_of(clock, one), part_of(clock, other)))
    later = start + gap

    assert clock.calendar.add(start, duration) <= clock.calendar.add(start, longer)
    assert clock.calendar.add(start, duration) <= clock.calendar.add(later, duration)
    assert clock.calendar.add_days(start, n) <= clock.calendar.add_days(later, n)
    assert clock.calendar.add_days(start, n) <= clock.calendar.add_days(start, n + 1)


@checked
@given(clocks, instants, st.sampled_from(ZONES), portions)
def test_the_zone_in_which_an_instant_is_written_does_not_matter(clock: Clock, start: datetime, zone: str, portion: int) -> None:
    duration = part_of(clock, portion)
    written = start.astimezone(ZoneInfo(zone))
    asks: tuple[Callable[[datetime], object], ...] = (
        lambda at: clock.calendar.add(at, duration),
        lambda at: clock.calendar.add_days(at, 2),
        lambda at: clock.calendar.between(at, start + duration),
        clock.calendar.end_of_working_day,
        clock.calendar.is_open,
    )

    assert [ask(start) for ask in asks] == [ask(written) for ask in asks]


@checked
@given(clocks, instants, gaps, gaps, gaps)
def test_time_adds_up_and_a_pause_takes_what_was_open_in_it(
    clock: Clock, start: datetime, before: timedelta, pause: timedelta, after: timedelta
) -> None:
    paused, resumed, end = start + before, start + before + pause, start + before + pause + after
    between = clock.calendar.between

    assert between(start, end) == between(start, paused) + between(paused, end)
    assert between(start, end, [(paused, resumed)]) == between(start, end) - between(paused, resumed)


@checked
@given(clocks, instants, portions, st.lists(st.tuples(gaps, gaps), max_size=3))
def test_a_paused_clock_gives_its_duration_back_too(
    clock: Clock, start: datetime, portion: int, stops: list[tuple[timedelta, timedelta]]
) -> None:
    duration = part_of(clock, portion)
    pauses = [(start + after, start + after + length) for after, length in stops]

    due = clock.calendar.add(start, duration, pauses)

    assert duration == clock.calendar.between(start, due, pauses)
    assert lies_in_opening_closing(clock.calendar, due)


@checked
@given(clocks, instants, st.integers(1, 3), st.integers(1, 3))
def test_working_days_are_due_within_hours_and_add_up(clock: Clock, start: datetime, n: int, more: int) -> None:
    """Each share is rounded up to a microsecond, which a short day may stretch on a longer one."""
    calendar = clock.calendar

    due = calendar.add_days(start, n + more)
    in_two_steps = calendar.add_days(calendar.add_days(start, n), more)

    assert lies_in_opening_closing(calendar, due)
    assert timedelta() <= calendar.between(due, in_two_steps) < timedelta(seconds=1)


@checked
@given(clocks, instants, portions, st.lists(st.tuples(gaps, gaps), max_size=2))
def test_working_days_that_passed_are_those_that_were_added(
    clock: Clock, start: datetime, portion: int, stops: list[tuple[timedelta, timedelta]]
) -> None:
    """To a microsecond of the day on which they end, pauses left out."""
    calendar, days = clock.calendar, Fraction(portion, 1_000_000)
    pauses = [(start + after, start + after + length) for after, length in stops]

    due = calendar.add_days(start, days, pauses)

    assert calendar.days_between(start, due, pauses) >= days
    assert calendar.days_between(start, due - timedelta(microseconds=1), pauses) < days


@checked
@given(clocks, instants, gaps)
def test_the_open_stretches_are_what_is_open(clock: Clock, start: datetime, gap: timedelta) -> None:
    calendar, end = clock.calendar, start + gap

    spans = calendar.open_between(start, end)

    assert sum((closes - opens for opens, closes in spans), timedelta()) == calendar.between(start, end)
    assert all(start <= opens < closes <= end for opens, closes in spans)
    assert all(calendar.is_open(opens) and calendar.between(opens, closes) == closes - opens for opens, closes in spans)


@checked
@given(clocks, instants)
def test_openings_closings_and_ends_of_days_agree(clock: Clock, at: datetime) -> None:
    calendar = clock.calendar

    opening, end = calendar.next_opening(at), calendar.end_of_working_day(at)

    assert calendar.is_open(opening)
    assert timedelta() == calendar.between(at, opening)
    assert (opening == at) == calendar.is_open(at)
    assert opening < end
    assert lies_in_opening_closing(calendar, end)
    if clock.weekly < timedelta(hours=168):
        closing = calendar.next_closing(at)
        assert not calendar.is_open(closing)
        assert calendar.between(opening, closing) == closing - opening


@checked
@given(clocks, instants, portions, st.lists(st.floats(0, 1), max_size=3).map(sorted))
def test_shares_of_the_time_until_due_come_in_order(clock: Clock, start: datetime, portion: int, fractions: list[float]) -> None:
    due = clock.calendar.add(start, part_of(clock, portion))

    shares = [clock.calendar.share(start, due, fraction) for fraction in (0, *fractions, 1)]

    assert sorted(shares) == shares
    assert due == shares[-1]


@settings(checked, max_examples=min(RUNS, 2000))
@given(
    st.sampled_from(ZONES),
    st.integers(5 * 60, 13 * 60),
    st.integers(1, 8 * 60),
    instants,
    st.integers(0, 3000),
)
def test_between_is_what_counting_minute_by_minute_gives(zone: str, opens: int, length: int, start: datetime, minutes: int) -> None:
    """The slow way, with hours at which no zone changes its clocks."""
    hours = {"mon-sat": f"{clock_text(opens)}-{clock_text(opens + length)}"}
    calendar = WorkingCalendar.from_clause({"timezone": zone, "hours": hours})
    start = start.replace(second=0, microsecond=0)

    local = [(start + timedelta(minutes=m)).astimezone(ZoneInfo(zone)) for m in range(minutes)]
    counted = sum(opens <= at.hour * 60 + at.minute < opens + length and at.weekday() < 6 for at in local)

    assert timedelta(minutes=counted) == calendar.between(start, start + timedelta(minutes=minutes))
