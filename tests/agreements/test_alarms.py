"""When the operator gets an alarm: by rules that compare a source with its own past, and everything else with fixed bounds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.alarms import (
    EXPECTED_LEADS,
    FORGOTTEN_AFTER,
    SHORTEST_SILENCE,
    WEEKS,
    Copy,
    Failure,
    Found,
    failing,
    in_order,
    late,
    next_channel,
    no_worker,
    silent,
    still_silent,
    stretches,
    unsealed,
)
from agreements.words import ChannelName
from tests.examples import examples

TUESDAY = datetime(2027, 2, 2, 14, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def always(at: datetime) -> bool:
    return True


def by_office_hours(at: datetime) -> bool:
    return at.weekday() < 5 and 9 <= at.hour < 17


def leads(every: timedelta, since: datetime, until: datetime, hours: Callable[[datetime], bool] = always) -> list[datetime]:
    """When leads came that come regularly during these hours."""
    count = int((until - since) / every)
    return [at for number in range(count) if hours(at := since + every * number)]


def judged(came: list[datetime], *, heard: datetime, now: datetime, is_open: Callable[[datetime], bool] = always) -> Found | None:
    earlier = [[at for at in came if begin < at <= end] for begin, end in stretches(heard, now)]
    return silent("website", heard, earlier, now=now, is_open=is_open)


@pytest.mark.parametrize(
    ("what", "every", "silence", "alarms"),
    [
        ("twenty an hour, for half an hour", 3 * MINUTE, SHORTEST_SILENCE, False),
        ("twenty an hour, for an hour", 3 * MINUTE, HOUR, True),
        ("a hundred an hour, for a moment", timedelta(seconds=36), 20 * MINUTE, False),
        ("a hundred an hour, for half an hour", timedelta(seconds=36), SHORTEST_SILENCE, True),
        ("five a day, for a day", DAY / 5, DAY, False),
        ("five a day, for three days", DAY / 5, 3 * DAY, True),
        ("one a week, for a month", 7 * DAY, 27 * DAY, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_source_is_silent_when_a_dozen_leads_should_have_come(what: str, every: timedelta, silence: timedelta, alarms: bool) -> None:
    heard = TUESDAY - silence
    came = leads(every, heard - 200 * DAY, heard)

    assert (judged(came, heard=heard, now=TUESDAY) is not None) == alarms


def test_a_night_and_a_weekend_are_no_silence() -> None:
    heard = datetime(2027, 1, 29, 16, 55, tzinfo=UTC)
    came = leads(5 * MINUTE, heard - 60 * DAY, heard, by_office_hours)

    at_once = [judged(came, heard=heard, now=heard + step * HOUR) for step in range(1, 65)]

    assert at_once == [None] * 64
    assert judged(came, heard=heard, now=datetime(2027, 2, 1, 10, 30, tzinfo=UTC)) is not None


def test_a_holiday_is_no_silence_neither_on_the_day_nor_on_the_morning_after() -> None:
    heard, holiday = datetime(2027, 1, 29, 16, 55, tzinfo=UTC), datetime(2027, 2, 1, tzinfo=UTC).date()
    came = leads(5 * MINUTE, heard - 60 * DAY, heard, by_office_hours)

    def is_open(at: datetime) -> bool:
        return at.date() != holiday and by_office_hours(at)

    def at(day: int, hour: int, minute: int = 0) -> Found | None:
        return judged(came, heard=heard, now=datetime(2027, 2, day, hour, minute, tzinfo=UTC), is_open=is_open)

    assert [at(1, 12), at(1, 16), at(2, 9, 5), at(2, 9, 45)] == [None] * 4
    assert at(2, 11) is not None


def test_one_import_of_many_leads_is_no_rhythm() -> None:
    heard = TUESDAY - 2 * HOUR
    burst = [heard + HOUR - 7 * DAY] * 60

    assert judged(burst, heard=heard, now=TUESDAY) is None


def test_the_alarm_says_how_many_usually_came_and_since_when_none_does() -> None:
    heard = TUESDAY - 2 * HOUR

    found = judged(leads(6 * MINUTE, heard - 60 * DAY, heard), heard=heard, now=TUESDAY)

    assert found == Found("source-silent", "website", heard, {"usual": "20"})


def test_a_silence_ends_with_a_lead_or_when_nobody_expects_any_more() -> None:
    since = TUESDAY - 2 * DAY

    assert still_silent(since, since, now=TUESDAY)
    assert not still_silent(since, since + HOUR, now=TUESDAY)
    assert not still_silent(since, since, now=since + FORGOTTEN_AFTER)


@settings(max_examples=examples(100))
@given(st.integers(-3_000_000, 3_000_000), st.lists(st.integers(0, 10_000_000), max_size=60))
def test_no_silence_counts_time_that_lies_ahead_or_more_leads_than_came(ago: int, earlier: list[int]) -> None:
    """A clock that was set back has heard a source in the future."""
    heard = TUESDAY - timedelta(seconds=ago)
    came = sorted(heard - timedelta(seconds=one) for one in earlier)

    found = judged(came, heard=heard, now=TUESDAY)

    assert all(begin <= end < heard or ago <= 0 for begin, end in stretches(heard, TUESDAY))
    if found is not None:
        assert ago >= SHORTEST_SILENCE.total_seconds()
        assert len(came) >= WEEKS * EXPECTED_LEADS - WEEKS


def failure(person: str = "ana", *, tries: int = 1, permanent: bool = False, ago: timedelta = MINUTE) -> Failure:
    return Failure(person, tries, permanent, TUESDAY - ago)


@pytest.mark.parametrize(
    ("failures", "sent_ago", "fails"),
    [
        ([], None, False),
        ([failure(), failure("ben")], None, False),
        ([failure(), failure("ben"), failure("cleo")], None, True),
        ([failure(tries=3)], None, True),
        ([failure(tries=3)], 30 * MINUTE, True),
        ([failure(tries=3, ago=HOUR)], 30 * MINUTE, False),
        ([failure(permanent=True, tries=9), failure(permanent=True)], None, False),
        ([failure(one, permanent=True) for one in ("ana", "ben", "cleo")], None, True),
    ],
    ids=["nothing", "two", "three", "three times one", "after a success", "before a success", "one address", "three addresses"],
)
def test_a_channel_fails_after_three_failed_tries_without_a_success(
    failures: list[Failure], sent_ago: timedelta | None, fails: bool
) -> None:
    found = failing("email", TUESDAY - sent_ago if sent_ago else None, failures)

    assert (found is not None) == fails
    assert found is None or (found.subject, found.since) == ("email", min(one.at for one in failures))


def test_work_that_is_two_minutes_late_makes_the_clock_late_and_prefect_is_named() -> None:
    assert late(None, now=TUESDAY, prefect_away=True) is None
    assert late(TUESDAY - 2 * MINUTE, now=TUESDAY, prefect_away=False) is None
    assert late(TUESDAY + HOUR, now=TUESDAY, prefect_away=False) is None
    found = late(TUESDAY - 3 * MINUTE, now=TUESDAY, prefect_away=True)
    assert found == Found("clock-late", since=TUESDAY - 3 * MINUTE, facts={"prefect": "away"})


def test_no_worker_is_at_work_two_minutes_after_the_last_tick_but_a_clock_set_back_tells_nothing() -> None:
    assert no_worker(None, real=TUESDAY) is None
    assert no_worker(TUESDAY - 2 * MINUTE, real=TUESDAY) is None
    assert no_worker(TUESDAY + DAY, real=TUESDAY) is None
    assert no_worker(TUESDAY - 3 * MINUTE, real=TUESDAY) == Found("no-worker", since=TUESDAY - 3 * MINUTE)


def test_the_trail_is_behind_after_half_an_hour() -> None:
    assert unsealed(None, real=TUESDAY) is None
    assert unsealed(TUESDAY - 30 * MINUTE, real=TUESDAY) is None
    assert unsealed(TUESDAY - 31 * MINUTE, real=TUESDAY) is not None


def test_the_next_channel_is_used_when_one_fails_or_takes_too_long() -> None:
    order: list[ChannelName] = ["email", "chat", "sms"]
    fresh, old = Copy(TUESDAY), Copy(TUESDAY - 6 * MINUTE)

    assert next_channel(order, {}, now=TUESDAY) == "email"
    assert next_channel(order, {"email": fresh}, now=TUESDAY) is None
    assert next_channel(order, {"email": old}, now=TUESDAY) == "chat"
    assert next_channel(order, {"email": Copy(TUESDAY, failed=True)}, now=TUESDAY) == "chat"
    assert next_channel(order, {"email": Copy(TUESDAY, failed=True), "chat": fresh}, now=TUESDAY) is None
    assert next_channel(order, {"email": old, "chat": Copy(TUESDAY, arrived=True)}, now=TUESDAY) is None
    assert next_channel(order, dict.fromkeys(order, old), now=TUESDAY) is None


def test_a_channel_that_fails_is_used_last() -> None:
    assert in_order(["email", "chat", "sms"], {"email", "crm"}) == ["chat", "sms", "email"]
