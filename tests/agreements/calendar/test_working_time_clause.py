"""How a calendar may be written, and what is said of one that cannot be read."""

import io
import pickle
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from ruamel.yaml import YAML

from agreements.calendar.working_time import CalendarError, NaiveDatetime, WorkingCalendar

LONDON = {"timezone": "Europe/London", "hours": {"mon-fri": "09:00-12:30, 13:30-17:30"}}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def calendar(**changes: Any) -> WorkingCalendar:
    return WorkingCalendar.from_clause({**LONDON, **changes})


@pytest.mark.parametrize(("kind", "version"), [("safe", (1, 2)), ("safe", (1, 1)), ("rt", (1, 2)), ("rt", (1, 1))])
def test_it_does_not_matter_with_which_reader_the_clause_was_read(kind: str, version: tuple[int, int]) -> None:
    """The older YAML makes dates of what looks like one; the round-trip reader has types of its own."""
    text = """
        timezone: Europe/Oslo
        hours: {mon-fri: 08:00-24:00, sat: "10:00-12:00"}
        holidays: [2026-05-17, "2026-12-25", "*-01-01"]
        special_days: {2026-12-24: 08:00-12:00, "2026-12-31": closed, 2026-12-30: }
    """
    reader = YAML(typ=kind, pure=True)
    reader.version = version

    read = WorkingCalendar.from_clause(reader.load(io.StringIO(text)))

    assert read == WorkingCalendar.from_clause(
        {
            "timezone": "Europe/Oslo",
            "hours": {"mon-fri": ["08:00-24:00"], "sat": "10:00-12:00"},
            "holidays": [date(2026, 5, 17), date(2026, 12, 25), "*-01-01"],
            "special_days": {date(2026, 12, 24): "08:00-12:00", date(2026, 12, 31): "closed", "2026-12-30": []},
        }
    )


@pytest.mark.parametrize(
    "hours",
    [
        {"mon,wed": "09:00-12:00, 13:00-24:00"},
        {"mon": "09:00-12:00, 13:00-24:00", "wed": "13:00-24:00,09:00-12:00"},
        {"MON, Wed": ["09:00-12:00", "13:00-24:00"]},
        {"Mon+Wed": "09:00 \u2013 12:00, 13:00-24:00"},
        {"monday,WEDNESDAY": ("09:00-12:00", "13:00-00:00")},
        {"Mon": "9:00-12:00,13:00:00-24:00:00", "wednes": "09:00-12:00, 13:00-24:00", "thu-sun": "closed", "tue": []},
    ],
)
def test_the_same_hours_may_be_written_in_many_ways(hours: dict[str, Any]) -> None:
    assert calendar(hours=hours) == calendar(hours={"mon": "09:00-12:00, 13:00-24:00", "wed": "09:00-12:00, 13:00-24:00"})


@pytest.mark.parametrize("holidays", [
    {"country": "GB", "subdivision": "ENG"}, {"country": "gb", "subdivision": "eng"}, {"country": " GB ", "subdivision": "GB-ENG"},
])  # fmt: skip
def test_a_country_and_its_part_may_be_written_in_any_case_and_as_iso_has_them(holidays: dict[str, str]) -> None:
    assert calendar(holidays=holidays).closed_on == calendar(holidays={"country": "GB", "subdivision": "ENG"}).closed_on


@pytest.mark.parametrize("nothing", ["closed", "CLOSED", " closed ", [], (), ["closed"], "", None])
def test_a_special_day_without_hours_is_closed(nothing: object) -> None:
    worked = calendar(special_days={"2026-06-01": nothing})

    assert worked.next_opening(at("2026-06-01T10:00+01:00")) == at("2026-06-02T09:00+01:00")


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_a_calendar_may_have_no_holidays(nothing: object) -> None:
    assert calendar() == calendar(holidays=nothing, special_days=nothing or None)


def test_refusals_survive_a_trip_to_another_process() -> None:
    for refusal in (NaiveDatetime(at("2026-06-01T09:00")), CalendarError(("hours", "mon"), "no", "yes")):
        assert str(refusal) == str(pickle.loads(pickle.dumps(refusal)))


def test_a_holiday_with_a_star_is_every_year() -> None:
    closed = calendar(holidays=["*-12-24", date(2026, 6, 1)])

    assert (date(2026, 12, 24), date(2027, 12, 24)) == closed.holidays_between(date(2026, 6, 2), date(2027, 12, 31))
    assert not closed.is_open(at("2026-06-01T10:00+01:00"))


@pytest.mark.parametrize("hours", [{"fri-mon": "9:00-10:00"}, {"Friday,sat, SUN,Mon": "09:00 - 10:00"}])
def test_days_may_pass_sunday_be_listed_and_be_written_out(hours: dict[str, str]) -> None:
    week = at("2026-06-01T00:00+01:00"), at("2026-06-08T00:00+01:00")

    assert timedelta(hours=4) == calendar(hours=hours).between(*week)


def test_every_mistake_is_told_at_once_each_with_its_place() -> None:
    clause = {
        "timezone": "Europe/Londn",
        "hours": {"mon": "9-5", "mo": "09:00-17:00", "tue-wed": "20:00-08:00", "thu": "07:00-08:00", "Wed": "09:00-10:00"},
        "holidays": {"country": "ZZ", "region": "ENG"},
        "special_days": {"Christmas": "closed", "2026-12-24": "morning", "2026-12-26": "09:00-25:00"},
        "opening": "09:00",
    }

    with pytest.raises(CalendarError) as refused:
        WorkingCalendar.from_clause(clause)

    assert [one.path for one in refused.value.problems] == [
        ("opening",),
        ("timezone",),
        ("hours", "mon"),
        ("hours", "mo"),
        ("hours", "Wed"),
        ("hours", "tue-wed"),
        ("holidays", "region"),
        ("holidays", "country"),
        ("special_days", "Christmas"),
        ("special_days", "2026-12-24"),
        ("special_days", "2026-12-26"),
    ]
    assert str(refused.value).splitlines() == [str(one) for one in refused.value.problems]
    assert "hours.Wed: wednesday is already named by 'tue-wed'; write every day once, with all its intervals" in str(refused.value)


def test_several_dates_of_a_list_may_be_wrong() -> None:
    with pytest.raises(CalendarError) as refused:
        calendar(holidays=["2026-12-25", "25.12.", "2026-13-01"])

    assert [one.path for one in refused.value.problems] == [("holidays", 1), ("holidays", 2)]


def test_an_overlap_of_a_key_is_told_once() -> None:
    with pytest.raises(CalendarError) as refused:
        calendar(hours={"mon-sun": "09:00-10:00, 23:00-09:30"})

    assert [one.key for one in refused.value.problems] == ["hours.mon-sun"]


@pytest.mark.parametrize(
    ("changes", "key", "problem", "instead"),
    [
        ({"timezone": None}, "timezone", "missing", "Europe/London"),
        ({"timezone": "Europe/Londn"}, "timezone", "no time zone 'Europe/Londn'", "Europe/London"),
        ({"timezone": "../zone"}, "timezone", "no time zone", "IANA name"),
        ({"timezone": "europe/london"}, "timezone", "no time zone 'europe/london'", "Europe/London"),
        ({"timezone": "localtime"}, "timezone", "no time zone 'localtime'", "IANA name"),
        ({"timezone": "right/Europe/London"}, "timezone", "no time zone", "Europe/London"),
        ({"timezone": ""}, "timezone", "no time zone ''", "IANA name"),
        ({"timezone": 1}, "timezone", "no time zone '1'", "IANA name"),
        ({"timezone": "Europe"}, "timezone", "no time zone", "Europe"),
        ({"timezone": "x" * 5000}, "timezone", "no time zone", "IANA name"),
        ({"hours": {}}, "hours", "nothing is ever open", "mon-fri"),
        ({"hours": None}, "hours", "nothing is ever open", "mon-fri"),
        ({"hours": {"mon": "closed"}}, "hours", "nothing is ever open", "mon-fri"),
        ({"hours": "09:00-17:00"}, "hours", "not a mapping", "mon-fri"),
        ({"hours": {"mo": "09:00-17:00"}}, "hours.mo", "'mo' is not a day", "mon, tue"),
        ({"hours": {"mon-": "09:00-17:00"}}, "hours.mon-", "'' is not a day", "mon, tue"),
        ({"hours": {"weekdays": "09:00-17:00"}}, "hours.weekdays", "'weekdays' is not a day", "mon, tue"),
        ({"hours": {"mon": "9-5"}}, "hours.mon", "'9-5' is not an interval", "09:00-17:00"),
        ({"hours": {"mon": None}}, "hours.mon", "'None' is not an interval", "09:00-17:00"),
        ({"hours": {"mon": ""}}, "hours.mon", "'' is not an interval", "09:00-17:00"),
        ({"hours": {"mon": ["09:00-12:00", "closed"]}}, "hours.mon", "'closed' is not an interval", "09:00-17:00"),
        ({"hours": {"mon": ["09:00-12:00", "11:00-13:00"]}}, "hours.mon", "overlap", "each hour once"),
        ({"hours": {"mon": 9}}, "hours.mon", "'9' is not an interval", "09:00-17:00"),
        ({"hours": {9: "09:00-17:00"}}, "hours.9", "'9' is not a day", "mon, tue"),
        ({"hours": {"mon": "09:00-12:00,"}}, "hours.mon", "'' is not an interval", "09:00-17:00"),
        ({"hours": {"mon": "09:00-25:00"}}, "hours.mon", "25:00 is not a time of day", "00:00 to 24:00"),
        ({"hours": {"mon": "09:60-17:00"}}, "hours.mon", "09:60 is not a time of day", "00:00 to 24:00"),
        ({"hours": {"mon": "09:00-09:00"}}, "hours.mon", "begins where it ends", "00:00-24:00"),
        ({"hours": {"mon": "24:00-06:00"}}, "hours.mon", "end of a day", "00:00-06:00"),
        ({"hours": {"mon": "09:00-13:00, 12:00-17:00"}}, "hours.mon", "overlap", "each hour once"),
        ({"hours": {"mon": "22:00-06:00, 23:00-24:00"}}, "hours.mon", "overlap", "each hour once"),
        ({"hours": {"mon-fri": "09:00-17:00", "wed": "9:00-12:00"}}, "hours.wed", "'mon-fri'", "day once"),
        ({"hours": {"mon-fri": "23:00-07:00", "sat": "06:00-12:00"}}, "hours.mon-fri", "saturday", "earlier"),
        ({"hours": {"sun": "23:00-07:00", "mon": "06:00-12:00"}}, "hours.sun", "of monday", "earlier end"),
        ({"hours": {"mon": "20:00-19:00", "tue": "18:00-19:00"}}, "hours.mon", "of tuesday", "earlier end"),
        ({"holidays": "GB"}, "holidays", "neither a country nor a list", "{country: GB"),
        ({"holidays": 2026}, "holidays", "neither a country nor a list", "{country: GB"),
        ({"holidays": {"country": "XX"}}, "holidays.country", "no public holidays for 'XX'", "GB"),
        ({"holidays": {"subdivision": "ENG"}}, "holidays.country", "no public holidays", "GB"),
        ({"holidays": {"country": "GB", "subdivision": "BY"}}, "holidays.subdivision", "no part 'BY'", "ENG"),
        ({"holidays": {"country": "SG", "subdivision": "BY"}}, "holidays.subdivision", "'BY'", "alone"),
        ({"holidays": {"country": "GB", "region": "ENG"}}, "holidays.region", "no such key", "subdivision"),
        ({"holidays": ["2026-12-25", "25.12."]}, "holidays.1", "'25.12.' is not a date", "2026-12-24"),
        ({"holidays": {"country": False}}, "holidays.country", "no public holidays for 'False'", 'in quotes, such as "NO"'),
        ({"holidays": {"country": "GB", "subdivision": True}}, "holidays.subdivision", "no part 'True'", "ENG"),
        ({"holidays": ["20261225"]}, "holidays.0", "'20261225' is not a date", "2026-12-24"),
        ({"holidays": ["2026-02-29"]}, "holidays.0", "'2026-02-29' is not a date", "2026-12-24"),
        ({"holidays": [datetime(2026, 12, 25, 9)]}, "holidays.0", "is not a date", "2026-12-24"),
        ({"holidays": ["*-02-30"]}, "holidays.0", "not a date", "2026-12-24"),
        ({"holidays": ["0001-01-01"]}, "holidays.0", "not a date", "2026-12-24"),
        ({"special_days": ["2026-12-24"]}, "special_days", "not a mapping", "2026-12-24"),
        ({"special_days": {"Christmas": "closed"}}, "special_days.Christmas", "not a date", "2026-12-24"),
        ({"special_days": {"2026-12-24": "morning"}}, "special_days.2026-12-24", "not an interval", "closed"),
        ({"special_days": {"2026-12-23": "20:00-10:00"}}, "special_days.2026-12-23", "2026-12-24", "earlier"),
        ({"special_days": {"2026-06-06": "20:00-10:00", "2026-06-07": "09:00-10:00"}},
         "special_days.2026-06-06", "those of 2026-06-07", "earlier end"),
        ({"special_days": {"2026-12-24": "closed", date(2026, 12, 24): "09:00-12:00"}},
         "special_days.2026-12-24", "2026-12-24 occurs twice", "every date once"),
        ({"opening": "09:00"}, "opening", "no such key", "timezone, hours"),
    ],
)  # fmt: skip
def test_a_faulty_clause_is_refused_with_key_problem_and_cure(changes: dict[str, Any], key: str, problem: str, instead: str) -> None:
    with pytest.raises(CalendarError) as refused:
        calendar(**changes)

    assert key == refused.value.key
    assert problem in refused.value.problem
    assert instead in refused.value.instead
    assert f"{key}: {refused.value.problem}; write {refused.value.instead}" == str(refused.value)


def test_a_clause_that_is_no_mapping_is_refused() -> None:
    with pytest.raises(CalendarError, match=r"^calendar: 'mon-fri' is not a mapping"):
        WorkingCalendar.from_clause("mon-fri")  # type: ignore[arg-type]  # a wrong type is the case
