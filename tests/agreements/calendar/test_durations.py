"""What the words for a duration mean, and when they are over."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from agreements.calendar.durations import Duration, EndOfWorkingDay, ReleasePlan, Term, parse_term
from agreements.calendar.working_time import NaiveDatetime, WorkingCalendar

LONDON = WorkingCalendar.from_clause({"timezone": "Europe/London", "hours": {"mon-fri": "09:00-17:00"}})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("5 working minutes", Duration(5, "minutes", working=True)),
        ("1 working hour", Duration(1, "hours", working=True)),
        ("4 working hours", Duration(4, "hours", working=True)),
        ("10 working days", Duration(10, "days", working=True)),
        ("12 hours", Duration(12, "hours")),
        ("1 day", Duration(1, "days")),
        ("90 days", Duration(90, "days")),
        ("30 minutes", Duration(30, "minutes")),
        ("0 minutes", Duration(0, "minutes")),
        ("1.5 working hours", Duration(Fraction(3, 2), "hours", working=True)),
        ("end of same working day", EndOfWorkingDay()),
        ("per release plan", ReleasePlan()),
    ],
)
def test_words_become_a_term_and_a_term_becomes_the_same_words(text: str, term: Term) -> None:
    assert term == parse_term(text)
    assert text == str(term)


@pytest.mark.parametrize(
    ("text", "same_as"),
    [
        ("  4  Working   HOURS ", "4 working hours"),
        ("1 hours", "1 hour"),
        ("2 day", "2 days"),
        ("3.0 days", "3 days"),
    ],
)
def test_case_spaces_and_grammar_do_not_matter(text: str, same_as: str) -> None:
    assert same_as == str(parse_term(text))
    assert hash(parse_term(same_as)) == hash(parse_term(text))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("5", "'5' is not a time: the unit is missing; write '5 working minutes', '5 hours' or '5 days'"),
        ("5 parsecs", "the unit is unknown; write 5 and one of minutes, hours, days, working minutes"),
        ("5 working parsecs", "the unit is unknown; write 5 and one of minutes"),
        ("5 business days", "write '5 working days'"),
        ("2 weeks", "weeks are written as days; write '14 days'"),
        ("-5 minutes", "cannot be negative; write 0 or more"),
        ("five minutes", "write a number and a unit, such as '5 working minutes'"),
        ("5m", "write a number and a unit"),
        ("", "write a number and a unit"),
        ("9" * 5000 + " days", "write a number and a unit"),
        ("999999999 days", "longer than 100 years"),
        ("end of day", "write 'end of same working day'"),
        ("by release plan", "write 'per release plan'; `release` of the tier says how many a day"),
        ("release", "write 'per release plan'"),
    ],
)
def test_words_that_are_no_duration_are_refused_with_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        parse_term(text)

    assert advice in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize("value", [5, None, True, ["5 days"]])
def test_what_a_file_holds_instead_of_words_is_refused_the_same_way(value: object) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_term(value)  # type: ignore[arg-type]  # a wrong type is the case


def test_a_duration_made_by_hand_is_checked_too() -> None:
    with pytest.raises(ValueError, match="'-1 hours' is negative"):
        Duration(-1, "hours")
    with pytest.raises(ValueError, match="'weeks' is not a unit"):
        Duration(1, "weeks")  # type: ignore[arg-type]  # a wrong unit is the case


@pytest.mark.parametrize(
    ("text", "start", "due"),
    [
        ("5 working minutes", "2026-06-05T16:58+01:00", "2026-06-08T09:03+01:00"),
        ("4 working hours", "2026-06-06T12:00+01:00", "2026-06-08T13:00+01:00"),
        ("8 working hours", "2026-06-05T09:00+01:00", "2026-06-05T17:00+01:00"),
        ("0 working minutes", "2026-06-06T12:00+01:00", "2026-06-08T09:00+01:00"),
        ("1.5 working hours", "2026-06-05T16:00+01:00", "2026-06-08T09:30+01:00"),
        ("10 working days", "2026-06-03T11:00+01:00", "2026-06-17T11:00+01:00"),
        ("2 working days", "2026-06-06T11:00+01:00", "2026-06-09T17:00+01:00"),
        ("0 working days", "2026-06-06T11:00+01:00", "2026-06-08T09:00+01:00"),
        ("end of same working day", "2026-06-05T11:00+01:00", "2026-06-05T17:00+01:00"),
        ("end of same working day", "2026-06-05T17:00+01:00", "2026-06-08T17:00+01:00"),
        ("per release plan", "2026-06-05T09:00+01:00", "2026-06-05T17:00+01:00"),
        ("per release plan", "2026-06-06T09:00+01:00", "2026-06-08T17:00+01:00"),
        ("12 hours", "2026-06-06T12:00+01:00", "2026-06-07T00:00+01:00"),
        ("0 minutes", "2026-06-06T12:00+01:00", "2026-06-06T12:00+01:00"),
        ("1 day", "2026-10-24T12:00+01:00", "2026-10-25T11:00+00:00"),
    ],
)
def test_a_term_is_over_at_its_due_time(text: str, start: str, due: str) -> None:
    after = parse_term(text).after(at(start), LONDON)

    assert at(due) == after
    assert after.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("2 hours", "2026-06-05T19:00+01:00"),
        ("30 minutes", "2026-06-05T16:00+01:00"),
        ("1 working hour", "2026-06-08T09:30+01:00"),
        ("1 working day", "2026-06-08T16:30+01:00"),
    ],
)
def test_pauses_move_the_due_time(text: str, due: str) -> None:
    """Friday from 15:30 to 17:00; the clock stood still from 16:00 to 17:30."""
    pauses = [(at("2026-06-05T16:00+01:00"), at("2026-06-05T17:30+01:00"))]

    assert at(due) == parse_term(text).after(at("2026-06-05T15:30+01:00"), LONDON, pauses)


@pytest.mark.parametrize(
    ("resumed", "due"),
    [
        ("2026-06-05T16:30+01:00", "2026-06-05T17:00+01:00"),
        ("2026-06-05T17:00+01:00", "2026-06-08T17:00+01:00"),
        ("2026-06-09T10:00+01:00", "2026-06-09T17:00+01:00"),
    ],
)
def test_a_working_day_that_ends_in_a_pause_gives_way_to_the_day_the_pause_ends(resumed: str, due: str) -> None:
    pauses = [(at("2026-06-05T16:00+01:00"), at(resumed))]

    for term in (EndOfWorkingDay(), ReleasePlan()):
        assert at(due) == term.after(at("2026-06-05T11:00+01:00"), LONDON, pauses)


@pytest.mark.parametrize("text", ["5 working minutes", "2 working days", "end of same working day", "per release plan"])
def test_working_time_without_a_calendar_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' follows a calendar and there is none; name one"):
        parse_term(text).after(at("2026-06-05T11:00Z"), None)


@pytest.mark.parametrize("text", ["5 minutes", "5 working minutes", "2 working days", "end of same working day"])
def test_an_instant_without_a_zone_is_refused(text: str) -> None:
    with pytest.raises(NaiveDatetime):
        parse_term(text).after(at("2026-06-05T11:00"), LONDON)


def test_the_length_is_exact_and_working_days_have_none() -> None:
    assert timedelta(hours=1, minutes=30) == Duration(Fraction(3, 2), "hours").length
    assert timedelta(minutes=5) == Duration(5, "minutes", working=True).length
    with pytest.raises(ValueError, match="'2 working days' has no fixed length"):
        _ = Duration(2, "days", working=True).length


@pytest.mark.parametrize("text", ["90 working minutes", "1.5 working hours", "2 working days", "3 hours", "end of same working day"])
def test_a_calendar_adds_a_term_as_the_term_is_meant(text: str) -> None:
    start = at("2026-06-05T16:00+01:00")

    assert parse_term(text).after(start, LONDON) == LONDON.add(start, parse_term(text))


def test_every_term_says_whether_it_follows_a_calendar() -> None:
    assert parse_term("1 working day").working
    assert not parse_term("1 day").working
    assert parse_term("end of same working day").working
    assert parse_term("per release plan").working
