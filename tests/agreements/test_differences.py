"""Two agreements compared in words: every change of what was agreed is told, and nothing but that."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agreements.differences import NAMES, differences, differences_by_part
from agreements.loading import read_agreement
from agreements.model import Agreement
from agreements.wording import contract_in_words
from tests.agreements.changing import EVERYTHING, changes, everything
from tests.agreements.tables import cases
from tests.examples import examples, tries_all

WHOLE = everything()


def written(*pairs: list[str]) -> Agreement:
    """The whole agreement with texts replaced; each must be there."""
    text = EVERYTHING
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return read_agreement(text)


def test_an_agreement_does_not_differ_from_itself() -> None:
    assert differences(WHOLE, everything()) == ()


def test_any_change_of_any_value_is_told_in_plain_words() -> None:
    """At least a line for each; none has a gap, or shows how Python writes values. `make test` looks at every second one."""
    changed = dict(changes(WHOLE))
    assert len(changed) > 500

    told = {place: differences(WHOLE, other) for place, other in islice(changed.items(), None, None, 1 if tries_all() else 2)}

    assert [place for place, lines in told.items() if not lines] == []
    assert [line for lines in told.values() for line in lines if "  " in line or line != line.strip() or _PYTHON.search(line)] == []


_PYTHON = re.compile(r"None|True|False|frozenset|Duration|[{}]")


@pytest.mark.parametrize("row", cases("difference_cases.yaml"))
def test_a_change_reads_like_this(row: dict[str, Any]) -> None:
    assert list(differences(WHOLE, written(*row["change"]))) == row["expected"]


@pytest.mark.parametrize("row", cases("same_cases.yaml"))
def test_another_spelling_of_the_same_is_no_difference(row: dict[str, Any]) -> None:
    base, other = written(*row.get("given", [])), written(*row.get("given", []), *row["change"])

    assert differences(base, other) == ()
    assert differences(other, base) == ()


def test_lines_stand_under_the_part_of_the_file_in_its_order() -> None:
    other = written(["version: 3", "version: 4"], ["total: 70", "total: 75"], ["hot: 5 working", "hot: 10 working"])

    assert differences_by_part(WHOLE, other) == {
        NAMES: ("Version: 3 -> 4",),
        "qualification": ("Points needed to qualify: 70 -> 75",),
        "clocks": ("Hot acceptance: 5 -> 10 working minutes",),
    }


def test_an_agreement_without_calendars_can_be_compared() -> None:
    """None such is published, but one that is being written may be so for a while."""
    bare = WHOLE.model_copy(update={"calendars": {}})

    assert differences(WHOLE, bare)
    assert differences(bare, WHOLE)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.integers(min_value=0), min_size=1, max_size=4))
def test_several_changes_at_once_are_told_unless_they_cancel_each_other(picks: list[int]) -> None:
    other = WHOLE
    for pick in picks:
        all_of_them = list(changes(other))
        other = all_of_them[pick % len(all_of_them)][1]

    told = differences(WHOLE, other)

    assert bool(told) == bool(differences(other, WHOLE))
    assert told or contract_in_words(other) == contract_in_words(WHOLE)
