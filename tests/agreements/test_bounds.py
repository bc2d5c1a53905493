"""What comes in is bounded, and the rules take whatever was stored before it was: nothing that a lead tells makes a worker fail."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from agreements import criteria
from agreements.clauses.facts import DeclaredField
from agreements.clocks import ContactTime, contact_time, is_too_early
from agreements.explanation import explain
from agreements.fields import stated, value_of
from agreements.lead import MAX_FIELDS, MAX_NUMBER, MAX_TEXT, IncomingLead, LeadFacts, is_within_bounds
from agreements.loading import read_agreement
from agreements.qualification import found_out, qualify, tier_for
from agreements.screening import screen
from tests.conftest import AGREEMENT
from tests.examples import examples

EXAMPLE = read_agreement(AGREEMENT)
NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
some = settings(max_examples=examples(150), deadline=None, database=None)

#: Numbers as nobody means them: thousands of digits, no number at all, just over the edge.
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**4000, -(10**4000), 10**309, MAX_NUMBER, MAX_NUMBER + 1, -MAX_NUMBER - 1, 1e308, math.nan, math.inf, -0.0]),
)
#: Texts likewise: among them digits of which Python makes no number any more.
TEXTS = st.one_of(
    st.text(max_size=50),
    st.sampled_from(["9" * 5000, "-" + "9" * 4301, "1" * 39, "1e999", "nan", "x" * MAX_TEXT, "x" * (MAX_TEXT + 1), "\ud800", "\0"]),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
ANYTHING = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8)
NAMES = st.sampled_from(["industry", "employees", "budget", "own", "need"])


def judged(values: dict[str, Any]) -> None:
    """Everything that a worker asks the rules about a lead."""
    facts = LeadFacts({"email": "a@b.example", **values})
    verdict = qualify(EXAMPLE, facts, now=NOW)
    tier_for(EXAMPLE, facts, verdict)
    found_out(EXAMPLE, stated(EXAMPLE, facts.values), verdict)
    screen(EXAMPLE, facts.values)
    explain(EXAMPLE, facts, now=NOW)


@some
@given(st.dictionaries(NAMES | TEXTS, ANYTHING, max_size=4))
@example({"employees": 10**4000})
@example({"employees": "9" * 5000})
@example({"employees": [[[[[[1]]]]]]})
def test_what_a_door_takes_in_is_bounded_and_can_be_kept_and_judged(fields: dict[str, Any]) -> None:
    taken = taken_in(fields)
    if isinstance(taken, ValidationError):
        assert {one["loc"][0] for one in taken.errors()} == {"fields"}
        return
    kept = json.loads(json.dumps(taken.fields, allow_nan=False))
    assert kept == taken.fields
    assert all(is_within_bounds(value) for value in kept.values())
    judged(kept)


def taken_in(fields: dict[str, Any]) -> IncomingLead | ValidationError:
    try:
        return IncomingLead.model_validate({"source_id": "1", "fields": fields})
    except ValidationError as error:
        return error


@some
@given(st.dictionaries(NAMES, SCALARS, max_size=4))
@example({"employees": 10**4000, "own": 10**4000})
@example({"employees": math.nan, "own": math.inf})
def test_the_rules_take_what_was_stored_before_there_were_bounds(values: dict[str, Any]) -> None:
    judged(values)


@some
@given(st.sampled_from(["text", "choice", "number", "yes_no", "date"]), SCALARS)
@example("yes_no", 10**5000)
@example("date", 10**5000)
@example("text", 10**5000)
def test_a_field_of_any_type_reads_any_value(kind: str, raw: Any) -> None:
    more = {"values": ["software"]} if kind == "choice" else {}
    meant = value_of(DeclaredField.model_validate({"type": kind, **more}), raw)

    assert meant is None or is_within_bounds(meant)


@some
@given(st.sampled_from(sorted(criteria.OPERATORS)), SCALARS)
def test_a_condition_answers_to_any_value(operator: str, value: Any) -> None:
    wanted = 5 if operator in ("at_least", "at_most") else ("a", 5)

    assert criteria.Test("own", operator, wanted).answers(value) in (True, False)


@pytest.mark.parametrize(
    "number",
    [10**4000, -(10**4000), MAX_NUMBER + 1, -MAX_NUMBER - 1, 1e300, math.nan, math.inf, -math.inf],
    ids=lambda number: str(number)[:20],
)
def test_a_number_that_is_too_large_or_none_is_refused_by_the_name_of_its_field(number: float) -> None:
    with pytest.raises(ValidationError) as raised:
        IncomingLead.model_validate({"source_id": "1", "fields": {"employees": number}})

    [error] = raised.value.errors()
    assert error["loc"] == ("fields", "employees")
    assert error["msg"] == "Value error, is no number from -9007199254740992 to 9007199254740992"


@pytest.mark.parametrize("value", [MAX_NUMBER, -MAX_NUMBER, 0.1, -0.0, True, None, "x" * MAX_TEXT, "9" * 5000], ids=lambda v: str(v)[:20])
def test_what_is_within_the_bounds_is_kept_as_it_came(value: Any) -> None:
    assert IncomingLead.model_validate({"source_id": "1", "fields": {"own": value}}).fields["own"] == value


def test_a_text_that_is_too_long_is_refused_by_the_name_of_its_field() -> None:
    with pytest.raises(ValidationError, match=r"fields\.own\n.*is longer than 10000 characters"):
        IncomingLead.model_validate({"source_id": "1", "fields": {"own": "x" * (MAX_TEXT + 1)}})


@pytest.mark.parametrize("value", [[], {}, [1], {"a": {"b": {"c": 1}}}])
def test_what_stands_in_one_another_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        IncomingLead.model_validate({"source_id": "1", "fields": {"own": value}})


def test_only_so_many_fields_are_taken() -> None:
    fields = {str(number): number for number in range(MAX_FIELDS + 1)}
    with pytest.raises(ValidationError, match="100"):
        IncomingLead.model_validate({"source_id": "1", "fields": fields})


@pytest.mark.parametrize("name", ["at", "requested_time"])
@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "1899-12-31T00:00:00Z"])
def test_an_instant_with_which_no_zone_can_be_reckoned_is_refused(name: str, text: str) -> None:
    with pytest.raises(ValidationError, match="is not a likely time"):
        IncomingLead.model_validate({"source_id": "1", name: text})


def test_a_number_written_as_digits_counts_as_far_as_it_is_one() -> None:
    employees = DeclaredField.model_validate({"type": "number"})

    assert [value_of(employees, text) for text in ("9007199254740992", "9" * 17, "9" * 5000)] == [9007199254740992.0, None, None]


def test_a_contact_time_may_be_a_year_ahead() -> None:
    clock, calendar = EXAMPLE.clocks.first_attempt, EXAMPLE.calendar("london")

    def asked(ahead: timedelta) -> ContactTime:
        return contact_time(clock, NOW + ahead, start=NOW, now=NOW, calendar=calendar)

    assert asked(timedelta(days=364)).at == datetime(2028, 1, 31, 9, tzinfo=UTC)
    assert (asked(timedelta(days=366)).at, asked(timedelta(days=366)).ignored) == (None, "it lies more than a year ahead")
    assert (asked(-timedelta(hours=1)).at, asked(-timedelta(hours=1)).ignored) == (None, "it had passed when the rep was told")


def test_no_attempt_is_too_early_for_a_time_that_does_not_count() -> None:
    assert is_too_early(at=NOW, requested=NOW + timedelta(days=364))
    assert not is_too_early(at=NOW, requested=NOW + timedelta(days=3660))


def test_a_clock_without_a_calendar_runs_day_and_night_and_so_does_a_contact_time() -> None:
    saturday = datetime(2027, 2, 6, 20, tzinfo=UTC)
    clock, calendar = EXAMPLE.clocks.first_attempt, EXAMPLE.calendar("london")
    elapsed = clock.model_copy(update={"calendar": ""})

    assert contact_time(elapsed, saturday, start=NOW, now=NOW, calendar=calendar).at == saturday
    assert contact_time(clock, saturday, start=NOW, now=NOW, calendar=calendar).at == datetime(2027, 2, 8, 9, tzinfo=UTC)
