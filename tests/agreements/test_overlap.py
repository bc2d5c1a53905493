"""Whether a lead could fit two conditions: never wrong about it, and shown by such a lead."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.clauses.facts import DeclaredField
from agreements.criteria import Condition, Test, condition
from agreements.lead import domain_of
from agreements.overlap import Fields, can_both_hold, lead_for_both
from tests.agreements.tables import cases
from tests.examples import examples

setattr(Test, "__test__", False)  # noqa: B010 - a question to a fact, not a test of ours; the class declares no such attribute
MAILS = [None, "a@gmail.com", "b@mailinator.com", "info@gmail.com", "c@x.example", "info@x.example", "info@y.example"]
NUMBERS = [None, *range(6)]
WORDS = [None, "web", "Web", "webinar", "import", "web import", "other"]


@pytest.mark.parametrize("case", cases("overlap_cases.yaml"))
def test_two_conditions_meet_as_the_table_says(case: dict[str, Any]) -> None:
    one, other = condition(case["one"]), condition(case["other"])

    assert can_both_hold(one, other) is case["both"]
    assert can_both_hold(other, one) is case["both"]


SOFTWARE = {"industry": DeclaredField(type="choice", synonyms={"IT services": "software"}, null_values=["Select"])}
STAFF = {"employees": DeclaredField(type="number", bands={"51-200": 51}, if_missing=1)}


@pytest.mark.parametrize(
    ("one", "other", "readings", "shown"),
    [
        ({"industry": "software"}, {"industry": "IT services"}, (SOFTWARE, {}), {"industry": "IT services"}),
        ({"industry": "software"}, {"industry": "IT services"}, (SOFTWARE, SOFTWARE), None),
        ({"industry": "software"}, {"industry": "IT services"}, ({}, {}), None),
        ({"industry": "missing"}, {"industry": "Select"}, (SOFTWARE, {}), {"industry": "Select"}),
        ({"employees": {"at_least": 50}}, {"employees": "51-200"}, (STAFF, {}), {"employees": "51-200"}),
        ({"employees": {"at_least": 50}}, {"employees": "1-10"}, (STAFF, {}), None),
        ({"employees": 1}, {"employees": "missing"}, (STAFF, {}), {}),
    ],
)
def test_each_side_reads_what_was_written_by_its_own_dictionary(
    one: dict[str, object],
    other: dict[str, str],
    readings: tuple[Fields, Fields],
    shown: dict[str, str] | None,
) -> None:
    assert lead_for_both(condition(one), condition(other), readings=readings) == shown


def some(values: list[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from([one for one in values if one is not None]), min_size=1, max_size=3).map(tuple)


def asking(field: str, values: list[Any], *operators: str, words: tuple[str, ...]) -> st.SearchStrategy[Test]:
    lists = st.tuples(st.sampled_from(operators), some(values)).map(lambda pair: Test(field, *pair))
    return lists | st.sampled_from(words).map(lambda word: Test(field, "word", word))


BOUNDS = st.tuples(st.sampled_from(["at_least", "at_most"]), st.integers(0, 5)).map(lambda pair: Test("employees", *pair))
TESTS = st.one_of(
    asking("source", WORDS, "in", "not_in", "contains", words=("present", "missing")),
    asking("employees", NUMBERS, "in", "not_in", words=("present", "missing")) | BOUNDS,
    asking("email", MAILS, "in", "not_in", words=("present", "missing", "free", "company", "disposable")),
    st.sampled_from(["info", "@x", "gmail", "o@g"]).map(lambda text: Test("email", "contains", (text,))),
    asking("email_domain", ["gmail.com", "x.example"], "in", "not_in", "contains", words=("present", "missing")),
)
CONDITIONS = st.lists(TESTS, max_size=4).map(lambda found: Condition(tuple(found)))


def facts(source: Any, employees: Any, email: Any) -> dict[str, Any]:
    known = {"source": source, "employees": employees, "email": email, "email_domain": domain_of(email or "") or None}
    return {name: value for name, value in known.items() if value is not None}


LEADS = [facts(*values) for values in product(WORDS, NUMBERS, MAILS)]


@settings(max_examples=examples(500), deadline=None)
@given(CONDITIONS, CONDITIONS)
def test_whatever_lead_is_shown_fits_both_and_none_is_overlooked(one: Condition, other: Condition) -> None:
    shown = lead_for_both(one, other)

    if shown is None:
        assert [lead for lead in LEADS if one.holds(lead) and other.holds(lead)] == []
    else:
        assert one.holds(shown)
        assert other.holds(shown)
