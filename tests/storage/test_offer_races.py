"""Two reps at one lead that both are asked about: exactly one has it, whoever was first, and no answer is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from storage.tables import Answer, AnswerState, Offer, Wait
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.examples import at_night
from tests.racing import prepare, race
from tests.rows import all_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUNDS = at_night(300, before_a_change=150)
PAIRS = [
    ("claim:ana", "claim:ben"),
    ("claim:ben", "claim:ana"),
    ("claim:ana", "decline:ben"),
    ("decline:ben", "claim:ana"),
    ("decline:ana", "decline:ben"),
    ("claim:ben", "missed"),
]


def test_of_two_reps_who_are_asked_exactly_one_has_the_lead(race_url: str, tmp_path: Path) -> None:
    does = [PAIRS[number % len(PAIRS)] for number in range(ROUNDS)]
    rounds = prepare(race_url, tmp_path, MONDAY, does, agreement=AGREEMENT, people=ROSTER)

    one, other = race(race_url, tmp_path, MONDAY, rounds)

    assert [*one.errors, *other.errors] == []
    waits = {row.id: row for row in all_at(race_url, Wait)}
    answers = {row.id: row for row in all_at(race_url, Answer)}
    declined = Counter(row.assignment_id for row in all_at(race_url, Offer) if row.ended_because == "rejected")
    firsts: Counter[str] = Counter()
    for number, each in enumerate(rounds):
        won = [one.replies[number][0], other.replies[number][0]]
        winner = answers[waits[each.wait_id].answer_id or 0]
        counted = [row for row in answers.values() if row.wait_id == each.wait_id and row.state == AnswerState.COUNTED]
        assert counted == [winner]
        kinds = {name.partition(":")[0] for name in each.does}
        if kinds == {"claim"}:
            assert won.count(True) == 1
            assert winner.by == each.does[won.index(True)].partition(":")[2]
            firsts[winner.by] += 1
        elif kinds == {"decline"}:
            assert won == [True, True]
            assert (winner.kind, winner.data["all_declined"]) == ("rejected", True)
            assert declined[each.assignment_id] == 1, "the first one leaves the other asked; the last one settles it"
        elif kinds == {"claim", "decline"}:
            assert won[each.does.index("claim:ana")]
            assert (winner.kind, winner.by) == ("accepted", "ana")
        else:
            assert won.count(True) == 1
    assert min(firsts["ana"], firsts["ben"]) >= ROUNDS / 60, f"hardly a race, one side nearly always came first: {firsts}"
