"""What a condition asks, and that a faulty one is refused with what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from agreements.criteria import OPERATORS, Condition, condition
from tests.agreements.tables import cases


@pytest.mark.parametrize("case", cases("criteria_cases.yaml"))
def test_a_condition_holds_as_the_table_says(case: dict[str, Any]) -> None:
    assert condition(case["when"]).holds(case["given"]) is case["holds"]


@pytest.mark.parametrize(
    ("clause", "advice"),
    [
        ({"country": {"is_in": ["GB"]}}, "'country' asks ['is_in']; write one of: in, not_in, contains, at_least, at_most, is"),
        ({"country": {}}, "'country' asks nothing; write one of: in"),
        ({"country": []}, "'country in' has an empty list; name at least one value"),
        ({"country": {"not_in": []}}, "'country not_in' has an empty list"),
        ({"employees": {"at_least": "many"}}, "'employees at_least' needs a number, not 'many'"),
        ({"employees": {"at_most": True}}, "'employees at_most' needs a number, not True"),
        ({"employees": {"at_least": None}}, "'employees at_least' needs a number, not None"),
    ],
)
def test_a_faulty_condition_is_refused_with_what_to_write(clause: dict[str, Any], advice: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        condition(clause)

    assert advice in str(refused.value)


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ({}, "always"),
        ({"country": "GB"}, "country is GB"),
        ({"country": ["GB", "IE"]}, "country in GB, IE"),
        ({"email": "disposable"}, "email is disposable"),
        ({"employees": {"at_least": 50, "at_most": 199}}, "employees at least 50 and employees at most 199"),
        ({"country": {"not_in": ["KP"]}, "phone": "present"}, "country not in KP and phone is present"),
    ],
)
def test_a_condition_reads_as_words(clause: dict[str, Any], words: str) -> None:
    assert str(condition(clause)) == words


def test_a_condition_knows_which_facts_it_asks_about() -> None:
    assert condition({"country": "GB", "employees": {"at_least": 1, "at_most": 2}}).fields == {"country", "employees"}
    assert Condition().fields == frozenset()


def test_every_operator_is_explained_and_answers() -> None:
    for operator, meaning in OPERATORS.items():
        operand = 1 if operator.startswith("at_") else "x"
        assert meaning
        assert condition({"anything": {operator: operand}}).holds({"anything": 1}) is (operator not in ("is", "in", "contains"))
