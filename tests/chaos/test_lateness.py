"""How late a deadline was noticed, told apart by what was down meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benchmarks.chaos.lateness import Calendar, reasons_for
from benchmarks.chaos.outages import AFTERMATH, Leap, Outage, Outages

REAL = datetime(2026, 11, 28, 12, tzinfo=UTC)
BATON = datetime(2027, 2, 1, 9, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)


def calendar() -> Calendar:
    """Nine o'clock on Monday at noon; a minute later it leaps to noon of that day."""
    ahead = BATON - REAL
    return Calendar([(REAL, ahead), (REAL + 60 * SECOND, ahead + 3 * HOUR)])


def test_batons_time_runs_with_real_time_and_leaps() -> None:
    assert calendar().baton(REAL + 30 * SECOND) == BATON + 30 * SECOND
    assert calendar().baton(REAL + 61 * SECOND) == BATON + 3 * HOUR + 61 * SECOND


def test_what_fell_due_within_a_leap_fell_due_when_it_was_made() -> None:
    assert calendar().real(BATON + 30 * SECOND) == REAL + 30 * SECOND
    assert calendar().real(BATON + HOUR) == REAL + 60 * SECOND
    assert calendar().real(BATON + 3 * HOUR + 90 * SECOND) == REAL + 90 * SECOND


def test_a_leap_over_the_deadline_is_a_reason_and_one_before_it_is_none() -> None:
    times, due = calendar(), BATON + HOUR
    over = Outages(leaps=[Leap(REAL + 60 * SECOND, BATON + 60 * SECOND, BATON + 60 * SECOND + 3 * HOUR)])
    before = Outages(leaps=[Leap(REAL - HOUR, BATON - 2 * HOUR, BATON - HOUR)])

    assert reasons_for(over, due, times.real(due), REAL + 61 * SECOND, times) == ["the clock was set forward by 180 min"]
    assert reasons_for(before, due, times.real(due), REAL + 61 * SECOND, times) == []


def test_a_part_that_was_down_is_a_reason_until_its_effects_are_over() -> None:
    times, due = calendar(), BATON + 3 * HOUR + 30 * 60 * SECOND
    fell_due = times.real(due)
    down = Outage("worker", "freeze", fell_due - 60 * SECOND, fell_due - 30 * SECOND)
    long_ago = Outage("server", "kill", fell_due - 2 * HOUR, fell_due - AFTERMATH - SECOND)
    no_excuse = Outage("web-2", "kill", fell_due - SECOND, fell_due + SECOND)
    outages = Outages(_past=[down, long_ago, no_excuse])

    assert reasons_for(outages, due, fell_due, fell_due + 90 * SECOND, times) == ["freeze worker"]


def test_a_deadline_that_nothing_explains_has_no_reason() -> None:
    times, due = calendar(), BATON + 30 * SECOND

    assert reasons_for(Outages(), due, times.real(due), times.real(due) + 100 * SECOND, times) == []
