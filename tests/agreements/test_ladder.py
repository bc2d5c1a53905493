"""A ladder is climbed rung by rung, and one that is allowed leads to a change of stage however it is climbed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agreements.ladder import ends, next_rung
from agreements.model import ENDINGS, NUDGES, Rung
from tests.examples import examples

checked = settings(max_examples=examples(300), deadline=None, database=None)
rungs = st.builds(lambda do, at_most: ladder((do, at_most))[0], st.sampled_from([*NUDGES, *ENDINGS]), st.integers(1, 5))
ladders = st.lists(rungs, max_size=8)


def ladder(*steps: tuple[str, int] | str) -> list[Rung]:
    """Rungs from what they do, and how often."""
    pairs = [(step, 1) if isinstance(step, str) else step for step in steps]
    return [Rung.model_validate({"do": do, "at_most": at_most}) for do, at_most in pairs]


def climb(steps: list[Rung], climbed: list[int], **more: Any) -> int | None:
    """One climb, as after one miss: rungs until one changes the stage, and its index; None where the ladder is used up."""
    while (index := next_rung(steps, climbed, **more)) is not None:
        climbed.append(index)
        if steps[index].ends:
            return index
    return None


def test_rungs_are_taken_in_order_each_as_often_as_it_says() -> None:
    steps = ladder("remind", ("reassign", 2), "default-acceptor", "nurture")
    climbed: list[int] = []

    assert [climb(steps, climbed) for _ in range(5)] == [1, 1, 2, 3, None]
    assert climbed == [0, 1, 1, 2, 3]


def test_a_rung_that_tells_somebody_twice_does_so_in_one_climb() -> None:
    climbed: list[int] = []

    assert climb(ladder(("remind", 2), "nurture"), climbed) == 1
    assert climbed == [0, 0, 1]


def test_none_is_gone_back_to() -> None:
    assert next_rung(ladder(("remind", 3), "reassign", "nurture"), [0, 1]) == 2


def test_an_empty_ladder_has_no_rung() -> None:
    assert next_rung([], []) is None
    assert not ends([])


def test_what_is_not_done_any_more_is_passed_over() -> None:
    steps = ladder(("reassign", 3), "tell-manager", "reassign", "nurture")

    assert next_rung(steps, [0], without=frozenset({"reassign"})) == 1
    assert next_rung(steps, [0, 1], without=frozenset({"reassign"})) == 3


@pytest.mark.parametrize(
    ("steps", "whether"),
    [
        (("nurture",), True),
        (("disqualify",), True),
        (("reassign",), True),
        (("default-acceptor",), True),
        (("manager-decides",), True),
        (("nurture", "remind"), False),
        (("remind", "tell-manager", "tell-marketing-ops"), False),
        (("remind", "nurture"), True),
    ],
)
def test_a_ladder_ends_when_its_last_rung_changes_the_stage(steps: tuple[str, ...], whether: bool) -> None:
    assert ends(ladder(*steps)) is whether


@checked
@given(ladders)
def test_climbing_a_ladder_that_ends_comes_to_a_rung_that_changes_the_stage(steps: list[Rung]) -> None:
    if not ends(steps):
        return

    found = climb(steps, [])

    assert found is not None
    assert steps[found].ends


@checked
@given(ladders, st.sampled_from([frozenset(), frozenset({"reassign"})]))
def test_however_often_a_ladder_is_climbed_it_is_used_up(steps: list[Rung], without: frozenset[str]) -> None:
    climbed: list[int] = []
    most = sum(rung.at_most for rung in steps)

    results = [climb(steps, climbed, without=without) for _ in range(most + 1)]

    assert results[-1] is None
    assert climbed == sorted(climbed)
    assert all(climbed.count(index) <= rung.at_most for index, rung in enumerate(steps))
    assert not {steps[index].do for index in climbed} & without
    if steps and ends(steps) and not without:
        assert len(climbed) == most
