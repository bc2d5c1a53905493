"""Public holidays are kept with a published version: what the library says later moves no due time."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from agreements.calendar.kept_holidays import resolved_holidays, with_resolved
from agreements.calendar.working_time import CalendarError
from agreements.loading import read_agreement
from tests.conftest import AGREEMENT

UK: dict[str, Any] = {"timezone": "Europe/London", "hours": {"mon-fri": "09:00-17:00"}, "holidays": {"country": "GB", "subdivision": "ENG"}}
LISTED: dict[str, Any] = {**UK, "holidays": ["2026-12-24"]}
CALENDARS = {"uk": UK, "listed": LISTED, "plain": {**UK, "holidays": None}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_holidays_are_resolved_for_the_calendars_that_take_them_from_the_library() -> None:
    resolved = resolved_holidays(CALENDARS, range(2026, 2028))

    assert list(resolved) == ["uk"]
    assert [day for day in resolved["uk"] if day.startswith("2026-12")] == ["2026-12-25", "2026-12-26", "2026-12-28"]
    assert resolved["uk"]["2026-12-25"] == "Christmas Day"
    assert {day[:4] for day in resolved["uk"]} == {"2026", "2027"}


def test_what_is_resolved_survives_json_and_means_the_same_calendars() -> None:
    years = range(2025, 2031)
    kept = json.loads(json.dumps(resolved_holidays(CALENDARS, years)))

    found = with_resolved(CALENDARS, kept, years)

    first, last = date(2025, 1, 1), date(2030, 12, 31)
    asked = with_resolved(CALENDARS, {})
    assert {name: one.holidays_between(first, last) for name, one in found.items()} == {
        name: one.holidays_between(first, last) for name, one in asked.items()
    }


def test_within_its_years_the_kept_dates_count_and_no_others() -> None:
    """As if a later library had another holiday on 5 May 2026, and none at Christmas."""
    calendar = with_resolved(CALENDARS, {"uk": {"2026-05-05": "Jubilee"}}, range(2026, 2027))["uk"]

    assert not calendar.is_open(at("2026-05-05T10:00+01:00"))
    assert calendar.is_open(at("2026-12-25T10:00+00:00"))
    assert calendar.closed_on.name_of(date(2026, 5, 5)) == "Jubilee"


@pytest.mark.parametrize("years", [range(2026, 2027), None])
def test_outside_its_years_the_library_is_asked(years: range | None) -> None:
    calendar = with_resolved(CALENDARS, {"uk": {"2026-05-05": "Jubilee"}}, years)["uk"]

    assert not calendar.is_open(at("2025-12-25T10:00+00:00"))
    assert not calendar.is_open(at("2027-12-27T10:00+00:00"))


def test_a_list_of_dates_stays_as_it_is_written() -> None:
    calendar = with_resolved(CALENDARS, {"listed": {"2026-05-05": "Jubilee"}}, range(2026, 2027))["listed"]

    assert calendar.is_open(at("2026-05-05T10:00+01:00"))
    assert not calendar.is_open(at("2026-12-24T10:00+00:00"))


def test_names_do_not_depend_on_the_language_of_whoever_publishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "th")
    bavaria = {**UK, "timezone": "Europe/Berlin", "holidays": {"country": "DE", "subdivision": "BY"}}

    names = resolved_holidays({"by": bavaria}, range(2026, 2027))["by"]

    assert names["2026-12-26"] == "Second Day of Christmas"


def test_a_faulty_clause_is_not_resolved() -> None:
    with pytest.raises(CalendarError, match="the time zone is missing"):
        resolved_holidays({"uk": {**UK, "timezone": None}}, range(2026, 2027))


def test_an_agreement_with_kept_holidays_reckons_by_them() -> None:
    agreement = read_agreement(AGREEMENT)
    start, hour = at("2027-02-01T09:00+00:00"), timedelta(hours=1)
    assert agreement.calendar().add(start, hour) == at("2027-02-01T10:00+00:00")

    kept = agreement.with_holidays({"london": {"2027-02-01": "Founders' Day"}})

    assert kept.calendar().add(start, hour) == at("2027-02-02T10:00+00:00")
    assert agreement.calendar().add(start, hour) == at("2027-02-01T10:00+00:00")
    assert kept.reference == agreement.reference


def test_an_agreement_says_for_which_years_its_holidays_are_kept() -> None:
    agreement = read_agreement(AGREEMENT)

    kept = resolved_holidays(agreement.calendars, agreement.holiday_years)["london"]

    assert (min(kept)[:4], max(kept)[:4]) == ("2025", "2036")
