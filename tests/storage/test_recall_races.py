"""A rep who answers and a deploy that recalls the lead, at the same instant in two processes: one of them has it, never both."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from storage.database import Database
from storage.tables import Answer, AnswerState, Assignment, Handoff, Wait
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.examples import at_night
from tests.in_flight import published, text_of
from tests.racing import prepare, race
from tests.rows import all_at

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

ROUNDS = at_night(500, before_a_change=200)
RECALL = "recall:b2b-saas@2"
PAIRS = [("link:accepted", RECALL), (RECALL, "link:rejected"), ("answer:deadline", RECALL), (RECALL, "answer:accepted")]


def test_an_answer_or_the_recall_wins_and_never_both(race_url: str, tmp_path: Path) -> None:
    rounds = prepare(
        race_url, tmp_path, MONDAY, [PAIRS[number % len(PAIRS)] for number in range(ROUNDS)], agreement=AGREEMENT, people=ROSTER
    )
    database = Database(race_url)
    with database.write() as session:
        published(session, text_of(2, "2027-02-01"), MONDAY)
    database.close()

    one, other = race(race_url, tmp_path, MONDAY, rounds)

    assert [*one.errors, *other.errors] == []
    waits, handoffs = {row.id: row for row in all_at(race_url, Wait)}, {row.id: row for row in all_at(race_url, Handoff)}
    tenures, answers = {row.id: row for row in all_at(race_url, Assignment)}, {row.wait_id: row for row in all_at(race_url, Answer)}
    successors = Counter(row.previous_id for row in handoffs.values() if row.previous_id)
    winners: Counter[str] = Counter()
    for round_, first, second in zip(rounds, one.replies, other.replies, strict=True):
        wait, handoff, tenure, answer = (
            waits[round_.wait_id],
            handoffs[round_.handoff_id],
            tenures[round_.assignment_id],
            answers.get(round_.wait_id),
        )
        recalled = handoff.stage == "withdrawn"
        winners["recall" if recalled else "answer"] += 1
        assert sorted([first[0], second[0]]) == [False, True]
        assert (wait.closed_because, tenure.ended_because) == (("withdrawn", "recalled") if recalled else ("", ""))
        assert (wait.answer_id is None, successors[handoff.id]) == (recalled, int(recalled))
        assert answer is None or answer.state == (AnswerState.LATE if recalled else AnswerState.COUNTED)
    assert min(winners["recall"], winners["answer"]) >= ROUNDS / 50, f"hardly a race, one side nearly always came first: {winners}"
