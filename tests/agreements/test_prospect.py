"""The prospect's clock: where a lead may be, how long it waits by its own day, and when both sides are awake."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from agreements.calendar.opening_hours import intervals_of
from agreements.calendar.working_time import WorkingCalendar
from agreements.clocks import call_due
from agreements.loading import as_published, read_agreement
from agreements.model import Clock
from agreements.prospect import Whereabouts, asked_words, awake, clock_there, time_ago, whereabouts
from tests.agreements.test_generations import STARTER

#: A Monday in winter.
MONDAY = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "country", "phone", "zones", "source"),
    [
        ("Europe/Berlin", "US", "+1 212 555 0123", "Europe/Berlin", "told"),
        ("europe/berlin", "", "", "Europe/Berlin", "told"),
        ("Mars/Olympus", "GB", "", "Europe/London", "country"),
        ("../../etc/passwd", "GB", "", "Europe/London", "country"),
        (12, "GB", "", "Europe/London", "country"),
        ("", "GB", "+49 30 1234567", "Europe/London", "country"),
        ("", "Deutschland", "", "Europe/Berlin", "country"),
        ("", "JP", "", "Asia/Tokyo", "country"),
        ("", "US", "+1 212 555 0123", "America/New_York", "phone"),
        ("", "US", "(415) 555-0123", "America/Los_Angeles", "phone"),
        ("", "AU", "+61 2 9374 4000", "Australia/Sydney", "phone"),
        ("", "", "+1 415 555 0123", "America/Los_Angeles", "phone"),
        ("", "", "+81 3 1234 5678", "Asia/Tokyo", "phone"),
        ("", "", "020 7946 0001", "", ""),
        ("", "Korea", "", "", ""),
        ("", "Atlantis", "call me", "", ""),
        ("", "", "", "", ""),
    ],
)
def test_the_zone_is_what_was_told_else_the_countrys_else_the_numbers(
    told: object, country: str, phone: str, zones: str, source: str
) -> None:
    found = whereabouts(told=told, country=country, phone=phone)

    assert (found.zones, found.source) == ((zones,) if zones else (), source)


@pytest.mark.parametrize("phone", ["", "+49 30 1234567", "+1 800 555 0199", "no number"])
def test_a_country_with_several_zones_and_no_telling_number_is_not_guessed(phone: str) -> None:
    found = whereabouts(country="US", phone=phone)

    assert {"America/New_York", "America/Los_Angeles", "Pacific/Honolulu"} <= set(found.zones)
    assert clock_there(found, MONDAY.replace(hour=20)) == "between Mon 10:00 and 15:00 their time"


@pytest.mark.parametrize(
    ("zones", "words"),
    [
        (("Europe/London",), "Mon 20:00 their time"),
        (("Asia/Tokyo",), "Tue 05:00 their time"),
        (("Europe/Madrid", "Atlantic/Canary"), "between Mon 20:00 and 21:00 their time"),
        (("Europe/Moscow", "Asia/Kamchatka"), "between Mon 23:00 and Tue 08:00 their time"),
        ((), ""),
    ],
)
def test_a_time_is_shown_by_the_leads_own_clock(zones: tuple[str, ...], words: str) -> None:
    assert clock_there(Whereabouts(zones), MONDAY.replace(hour=20)) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=30), "just now"),
        (timedelta(minutes=1), "1 min ago"),
        (timedelta(hours=3, minutes=20), "3 h 20 min ago"),
        (timedelta(hours=15), "15 h ago"),
        (timedelta(days=1, minutes=5), "1 day ago"),
        (timedelta(days=2, hours=16), "2 days 16 h ago"),
        (-timedelta(minutes=3), "just now"),
    ],
)
def test_the_time_since_the_request_counts_closed_hours_too(passed: timedelta, words: str) -> None:
    assert time_ago(MONDAY, MONDAY + passed) == words


def test_since_when_a_lead_waits_is_said_from_its_side() -> None:
    asked, now = MONDAY.replace(hour=17, minute=40), MONDAY.replace(hour=21)

    assert asked_words(whereabouts(country="DE"), asked, now) == "3 h 20 min ago, at Mon 18:40 their time"
    assert asked_words(whereabouts(country="ES"), asked, now) == "3 h 20 min ago, between Mon 17:40 and 18:40 their time"
    assert asked_words(Whereabouts(), asked, now) == "3 h 20 min ago, at Mon 17:40 UTC; their time zone is unknown"


LONDON = WorkingCalendar.from_clause({"timezone": "Europe/London", "hours": {"mon-fri": "09:00-17:30"}})
WAKING = (intervals_of("08:00-20:00", ()),) * 7
FIRST = {"owed_by": "sales", "calendar": "rep", "within": "15 working minutes", "when_missed": [{"do": "manager-decides"}]}


def due(day: int, hour: int, minute: int, zones: str, **clock: object) -> tuple[str, str]:
    """When a first call is due that would be due then, and what the trail says."""
    at = (MONDAY + timedelta(days=day)).replace(hour=hour, minute=minute)
    there = awake(Whereabouts(tuple(zones.split())), WAKING)
    found = call_due(Clock.model_validate({**FIRST, **clock}), at, tier="normal", calendar=LONDON, there=there)
    return f"{found.at:%a %H:%M}", "moved" if found.moved else "alone" if found.alone else ""


@pytest.mark.parametrize(
    ("day", "hour", "minute", "zones", "expected"),
    [
        (0, 9, 15, "Europe/London", ("Mon 09:15", "")),
        (0, 17, 30, "Europe/London", ("Mon 17:30", "")),
        (0, 9, 15, "", ("Mon 09:15", "")),
        (0, 9, 15, "America/New_York", ("Mon 13:15", "moved")),
        (0, 13, 0, "America/New_York", ("Mon 13:15", "moved")),
        (0, 13, 1, "America/New_York", ("Mon 13:01", "")),
        (0, 9, 15, "America/Los_Angeles", ("Mon 16:15", "moved")),
        (0, 17, 30, "America/Los_Angeles", ("Mon 17:30", "")),
        (0, 17, 30, "Asia/Tokyo", ("Tue 09:15", "moved")),
        (0, 11, 0, "Asia/Tokyo", ("Mon 11:00", "")),
        (4, 17, 30, "Asia/Tokyo", ("Mon 09:15", "moved")),
        (0, 9, 15, "America/New_York America/Los_Angeles", ("Mon 16:15", "moved")),
        (0, 9, 15, "America/New_York America/Denver Pacific/Honolulu", ("Mon 13:15", "moved")),
        (0, 9, 15, "Pacific/Honolulu", ("Mon 09:15", "alone")),
        (0, 9, 15, "Australia/Sydney", ("Mon 09:15", "alone")),
        (0, 9, 15, "Pacific/Auckland", ("Mon 09:15", "alone")),
        (0, 9, 15, "Asia/Kolkata", ("Mon 09:15", "")),
    ],
)
def test_a_call_is_due_when_both_sides_are_awake(day: int, hour: int, minute: int, zones: str, expected: tuple[str, str]) -> None:
    assert due(day, hour, minute, zones) == expected


@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        ({"respect_requested_time": "30 minutes"}, "Mon 13:30"),
        ({"at_least": "1 working hour"}, "Mon 14:00"),
        ({"respect_requested_time": "30 minutes", "at_least": "1 working hour"}, "Mon 13:30"),
        ({"within": "end of same working day"}, "Mon 17:30"),
        ({"within": "10 minutes", "calendar": ""}, "Mon 13:10"),
    ],
)
def test_a_call_that_moved_is_due_some_time_after_the_shared_hours_begin(clock: dict[str, object], expected: str) -> None:
    assert due(0, 9, 15, "America/New_York", **clock) == (expected, "moved")


def test_a_clock_that_runs_day_and_night_waits_for_the_lead_alone() -> None:
    assert due(5, 3, 0, "Europe/London", calendar="", within="10 minutes") == ("Sat 08:10", "moved")
    assert due(5, 9, 0, "Europe/London", calendar="", within="10 minutes") == ("Sat 09:00", "")


def test_only_versions_of_the_new_generation_wait_for_the_lead_to_wake() -> None:
    assert as_published(STARTER, generation=1).waking_hours is None
    assert read_agreement(STARTER).waking_hours == WAKING
    assert read_agreement(STARTER + "prospect_hours: always\n").waking_hours is None
    assert as_published(STARTER + 'prospect_hours: "07:00-22:00"\n', generation=1).prospect_hours == "07:00-22:00"
