"""The week so far: counted as the review counts it, by one process at a time, and again when it is old."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

import pytest

from agreements.loading import read_agreement
from agreements.review.this_week import ThisWeek, read_from, week_of
from app.review.week_counting import count_weeks, pause_after
from storage import week_counts
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import BY_POINTS, example_tree
from tests.driver import Driver
from tests.stage import answer_by_link, capture

MINUTE = timedelta(minutes=1)


def kept(box: Toolbox) -> list[ThisWeek]:
    return box.read_now(lambda session, now: week_counts.every(session))


async def test_the_week_is_counted_by_the_clock_and_again_when_it_is_old(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    lead = capture(box, **BY_POINTS)
    await driver.settle()
    answer_by_link(box, lead, "accepted")
    await driver.settle()
    time.at += MINUTE

    assert await count_weeks(box) == 1
    [first] = kept(box)
    time.at += week_counts.PAUSE - MINUTE
    assert await count_weeks(box) == 0
    time.at += MINUTE
    assert await count_weeks(box) == 1
    [second] = kept(box)

    assert (first.agreement, first.first, first.leads) == ("b2b-saas", MONDAY.date(), 1)
    assert second.as_of - first.as_of == week_counts.PAUSE
    assert sum(second.seconds.values()) - sum(first.seconds.values()) == week_counts.PAUSE.total_seconds()


async def test_of_two_workers_one_counts(box: Toolbox) -> None:
    assert sorted(await asyncio.gather(count_weeks(box), count_weeks(box))) == [0, 1]


async def test_a_worker_that_dies_while_it_counts_is_followed_by_another_after_the_pause(box: Toolbox, time: SteppedTime) -> None:
    box.write_now(lambda session, now: week_counts.begin(session, "b2b-saas", now=now))

    assert await count_weeks(box) == 0
    assert kept(box) == []
    time.at += week_counts.PAUSE
    assert await count_weeks(box) == 1


async def test_a_clock_that_is_set_back_stops_no_count(box: Toolbox, time: SteppedTime) -> None:
    await count_weeks(box)
    time.at -= timedelta(days=30)

    assert await count_weeks(box) == 1
    assert [one.as_of for one in kept(box)] == [time.at]


@pytest.mark.parametrize(("took", "pause"), [(timedelta(seconds=30), week_counts.PAUSE), (2 * MINUTE, 40 * MINUTE)])
def test_a_long_count_is_followed_by_a_longer_pause(took: timedelta, pause: timedelta) -> None:
    assert pause_after(took) == pause


@pytest.mark.parametrize(
    ("aims", "begins"),
    [
        ({"sales": {"answered": "90%"}}, "2027-02-15T00:00:00+00:00"),
        ({"marketing": {"mqls": "30 per week"}, "sales": {"opportunities": "9 per month"}}, "2027-02-01T00:00:00+00:00"),
        ({"marketing": {"pipeline": "50000 EUR per quarter"}}, "2027-01-01T00:00:00+00:00"),
    ],
)
def test_facts_are_read_from_monday_or_from_where_the_longest_objective_begins(aims: dict[str, dict[str, str]], begins: str) -> None:
    agreement = read_agreement(json.dumps({**example_tree(), "objectives": aims}, default=str))

    week = week_of(agreement, datetime.fromisoformat("2027-02-18T15:00:00+00:00"))

    assert (str(week.first), str(week.last)) == ("2027-02-15", "2027-02-18")
    assert read_from(agreement, week) == datetime.fromisoformat(begins)
