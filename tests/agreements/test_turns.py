"""Whose turn it is: everybody gets their share of what came while they could take it, and nobody has anything to catch up on."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agreements.turns import TURN, Turns

ANA, BEN, CLEO = "ana", "ben", "cleo"
EQUAL = {ANA: 1, BEN: 1, CLEO: 1}


def dealt(turns: Turns, leads: int, weights: dict[str, int]) -> tuple[Turns, list[str]]:
    """So many leads, one after another, for these reps."""
    order = []
    for _ in range(leads):
        order.append(turns.next_of(weights))
        turns = turns.after(order[-1], weights)
    return turns, order


def test_equal_reps_take_turns_in_the_order_of_the_file() -> None:
    assert dealt(Turns(), 7, EQUAL)[1] == [ANA, BEN, CLEO, ANA, BEN, CLEO, ANA]


def test_a_weight_is_a_share_and_its_leads_are_spread() -> None:
    order = dealt(Turns(), 8, {ANA: 2, BEN: 1, CLEO: 1})[1]

    assert Counter(order) == {ANA: 4, BEN: 2, CLEO: 2}
    assert (order[:4].count(ANA), order[4:].count(ANA)) == (2, 2)


def test_a_newcomer_starts_level_and_gets_a_share_from_then_on() -> None:
    turns, _ = dealt(Turns(), 1000, {ANA: 1, BEN: 1})

    assert Counter(dealt(turns, 9, EQUAL)[1]) == {ANA: 3, BEN: 3, CLEO: 3}


def test_whoever_comes_back_has_nothing_to_catch_up_on() -> None:
    turns, _ = dealt(Turns(), 30, EQUAL)
    turns, _ = dealt(turns, 500, {ANA: 1, BEN: 1})

    assert Counter(dealt(turns, 9, EQUAL)[1]) == {ANA: 3, BEN: 3, CLEO: 3}


def test_a_new_weight_counts_from_then_on() -> None:
    turns, _ = dealt(Turns(), 300, {ANA: 9, BEN: 1})

    assert Counter(dealt(turns, 10, {ANA: 1, BEN: 1})[1]) == {ANA: 5, BEN: 5}


def test_a_turn_that_is_credited_back_is_had_again_soon_and_once() -> None:
    turns, _ = dealt(Turns(), 6, EQUAL)

    order = dealt(turns.credited(BEN, EQUAL), 7, EQUAL)[1]

    assert order[0] == BEN
    assert Counter(order) == {ANA: 2, BEN: 3, CLEO: 2}
    assert sum(turns.credited(BEN, EQUAL).balance.values()) == 0


def test_a_turn_that_is_credited_back_costs_only_those_who_could_have_taken_that_lead() -> None:
    """The two who share most leads pay for each other's wrong ones, and not a colleague who was closed."""
    turns = Turns()
    for _ in range(40):
        rep = turns.next_of({ANA: 1, BEN: 1})
        turns = turns.after(rep, {ANA: 1, BEN: 1}).credited(rep, {ANA: 1, BEN: 1})

    assert turns.balance == {ANA: 0, BEN: 0}
    assert Counter(dealt(turns, 9, EQUAL)[1]) == {ANA: 3, BEN: 3, CLEO: 3}


def test_of_equals_the_one_whose_last_lead_is_longest_ago_comes_first() -> None:
    turns, _ = dealt(Turns(), 3, {CLEO: 1, ANA: 1, BEN: 1})

    assert turns.next_of(EQUAL) == CLEO


def test_somebody_alone_gets_every_lead_and_owes_nothing_for_it() -> None:
    turns, _ = dealt(Turns(), 50, {ANA: 1})

    assert turns.balance[ANA] == 0


@given(
    st.lists(st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 5), min_size=1), min_size=1, max_size=300),
    st.lists(st.integers(0, 299), max_size=5),
)
def test_whoever_is_there_nobody_is_further_from_their_share_than_two_leads(pools: list[dict[str, int]], credits_at: list[int]) -> None:
    """Any sequence of reps who can take a lead, with any weights, and turns credited back in between."""
    turns, due, got = Turns(), Counter[str](), Counter[str]()
    for number, weights in enumerate(pools):
        rep = turns.next_of(weights)
        turns = turns.after(rep, weights)
        whole = sum(weights.values())
        for one, weight in weights.items():
            due[one] += Fraction(weight, whole)  # type: ignore[assignment]  # a Counter of exact parts
        got[rep] += 1
        if number in credits_at:  # as if that lead had not come
            turns = turns.credited(rep, weights)
            for one, weight in weights.items():
                due[one] -= Fraction(weight, whole)  # type: ignore[assignment]
            got[rep] -= 1
        assert sum(turns.balance.values()) == 0

    assert max(abs(due[one] - got[one]) for one in due) <= 3
    assert all(abs(Fraction(turns.balance.get(one, 0), TURN) - (due[one] - got[one])) < Fraction(1, 1000) for one in due)


@pytest.mark.parametrize("weights", [{ANA: 7, BEN: 11, CLEO: 13}, {ANA: 1, BEN: 2**40}, dict.fromkeys(map(str, range(997)), 3)])
def test_nothing_is_lost_by_rounding(weights: dict[str, int]) -> None:
    turns, _ = dealt(Turns(), 50, weights)

    assert sum(turns.balance.values()) == 0
