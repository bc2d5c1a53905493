"""Two processes at one wait: one answer counts, every other one is kept and told who came first, and no wake is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from storage.tables import Answer, AnswerState, Event, Wait, Wake
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.examples import at_night
from tests.racing import Round, Told, prepare, race
from tests.rows import all_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUNDS = at_night(1_000, before_a_change=400)
#: Each side must win this often: otherwise it was hardly a race.
WINS = ROUNDS // 100
#: What the two sides do, in turns; either of them begins as often as the other.
OPPOSITE = [
    ("answer:accepted", "answer:rejected"),
    ("answer:rejected", "answer:accepted"),
    ("link:accepted", "answer:deadline"),
    ("answer:deadline", "link:rejected"),
    ("link:accepted", "answer:handed"),
    ("answer:rejected", "answer:rejected"),
    ("link:rejected", "link:accepted"),
    ("answer:attempted", "answer:deadline"),
]
UNPARKED = [("link:accepted", "park"), ("park", "answer:accepted"), ("answer:deadline", "park"), ("park", "link:rejected")]


def run(url: str, home: Path, pairs: list[tuple[str, str]]) -> tuple[list[Round], Told, Told]:
    rounds = prepare(url, home, MONDAY, [pairs[number % len(pairs)] for number in range(ROUNDS)], agreement=AGREEMENT, people=ROSTER)
    one, other = race(url, home, MONDAY, rounds)
    assert [*one.errors, *other.errors] == []
    return rounds, one, other


def test_of_two_opposite_answers_at_once_one_wins_and_the_other_is_told(race_url: str, tmp_path: Path) -> None:
    rounds, *sides = run(race_url, tmp_path, OPPOSITE)

    waits = {row.id: row for row in all_at(race_url, Wait)}
    answers: dict[str, list[Answer]] = {}
    for row in all_at(race_url, Answer):
        answers.setdefault(row.wait_id, []).append(row)
    wakes = Counter(row.key for row in all_at(race_url, Wake))
    late_events = Counter(row.handoff_id for row in all_at(race_url, Event) if row.kind == "answered-late")
    wins: Counter[bool] = Counter()
    for number, one in enumerate(rounds):
        replies = [side.replies[number] for side in sides]
        counted = [row for row in answers[one.wait_id] if row.state == AnswerState.COUNTED]
        late = [row for row in answers[one.wait_id] if row.state == AnswerState.LATE]
        assert len(counted) == 1
        assert len(counted) + len(late) == len(answers[one.wait_id])
        assert waits[one.wait_id].answer_id == counted[0].id
        assert [won for won, _ in replies].count(True) == 1, (one, replies)
        assert {told for _, told in replies} == {counted[0].kind}
        assert [key for key in (f"answer:{row.id}" for row in answers[one.wait_id]) if wakes[key]] == [f"answer:{counted[0].id}"]
        assert late_events[one.handoff_id] == len(late)
        wins[replies[0][0]] += 1
    assert wins.total() == ROUNDS
    assert min(wins[True], wins[False]) >= WINS, f"hardly a race, one side nearly always came first: {wins}"


def test_an_answer_before_the_run_has_parked_is_never_left_lying(race_url: str, tmp_path: Path) -> None:
    rounds, *sides = run(race_url, tmp_path, UNPARKED)

    waits = {row.id: row for row in all_at(race_url, Wait)}
    wakes = {(row.handoff_id, row.key) for row in all_at(race_url, Wake) if row.delivered_at is None}
    rested: Counter[bool] = Counter()
    for number, one in enumerate(rounds):
        parking = one.does.index("park")
        rests, _ = sides[parking].replies[number]
        won, _ = sides[1 - parking].replies[number]
        wait = waits[one.wait_id]
        assert won
        assert wait.answer_id is not None
        assert rests == (wait.closed_at is None) == (wait.parks == 1), "an attempt that saw the answer acts on it, any other rests"
        assert (one.handoff_id, f"answer:{wait.answer_id}") in wakes, "what the attempt has not come to rest over is not dropped"
        rested[rests] += 1
    assert rested.total() == ROUNDS
    assert min(rested[True], rested[False]) >= WINS, f"hardly a race, one side nearly always came first: {rested}"


def test_a_deadline_that_is_declared_with_many_others_and_an_answer_never_both_count(race_url: str, tmp_path: Path) -> None:
    rounds, *sides = run(race_url, tmp_path, [("link:accepted", "missed"), ("missed", "answer:rejected")])

    answers: dict[str, list[Answer]] = {}
    for row in all_at(race_url, Answer):
        answers.setdefault(row.wait_id, []).append(row)
    wakes = {row.key for row in all_at(race_url, Wake)}
    missed: Counter[bool] = Counter()
    for number, one in enumerate(rounds):
        counted = [row for row in answers[one.wait_id] if row.state == AnswerState.COUNTED]
        declared, _ = sides[one.does.index("missed")].replies[number]
        assert len(counted) == 1
        assert declared == (counted[0].kind == "deadline")
        assert f"answer:{counted[0].id}" in wakes
        missed[declared] += 1
    assert min(missed[True], missed[False]) >= WINS, f"hardly a race, one side nearly always came first: {missed}"
