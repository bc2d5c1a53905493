"""An answer is taken back while the next one is given: one of the two holds, and whoever lost is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from storage import handoffs, waits
from storage.database import Database
from storage.tables import Answer, Wait
from tests.conftest import AGREEMENT, MONDAY, ROSTER
from tests.examples import at_night
from tests.racing import Round, prepare, race

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ROUNDS = at_night(400, before_a_change=200)
PAIRS = [("undo:accepted", "link:attempted"), ("link:attempted", "undo:accepted")]


def accepted(session: Session, one: Round) -> Round:
    """The same lead once its rep's acceptance, which can still be taken back, was carried out: the first attempt is owed."""
    handoff = handoffs.get(session, one.handoff_id)
    until = MONDAY + timedelta(minutes=5)
    waits.answer(session, one.wait_id, waits.NewAnswer("accepted", by="ana", via="link"), now=MONDAY, effective_at=until)
    waits.close_open(session, handoff, because="accepted", now=MONDAY)
    handoffs.move(session, handoff, "accepted", now=MONDAY)
    due = MONDAY + timedelta(hours=2)
    owed = waits.open_wait(
        session, handoff, waits.NewWait("first_attempt", holder="ana", due_at=due, assignment_id=one.assignment_id), now=MONDAY
    )
    return replace(one, wait_id=owed.id)


def test_an_undo_and_an_answer_that_builds_on_what_is_undone_never_both_hold(race_url: str, tmp_path: Path) -> None:
    rounds = prepare(race_url, tmp_path, MONDAY, [PAIRS[number % 2] for number in range(ROUNDS)], agreement=AGREEMENT, people=ROSTER)
    database = Database(race_url)
    for number, one in enumerate(rounds):
        with database.write() as session:
            rounds[number] = accepted(session, one)

    sides = race(race_url, tmp_path, MONDAY, rounds)

    assert [error for side in sides for error in side.errors] == []
    with database.read() as session:
        answers = [(row.handoff_id, row.kind, row.state) for row in session.exec(select(Answer).order_by(col(Answer.id)))]
        owed = {row.id: row.answer_id for row in session.exec(select(Wait))}
    database.close()
    first: Counter[bool] = Counter()
    for number, one in enumerate(rounds):
        undoing = one.does.index("undo:accepted")
        taken_back, why = sides[undoing].replies[number]
        won, _ = sides[1 - undoing].replies[number]
        mine = [(kind, state) for ident, kind, state in answers if ident == one.handoff_id]
        assert taken_back != won, (one, why)
        assert mine == ([("accepted", "undone")] if taken_back else [("accepted", "counted"), ("attempted", "counted")])
        assert (owed[one.wait_id] is None) == taken_back
        assert taken_back or "You have given a later answer: tried to reach the lead" in why
        first[taken_back] += 1
    assert min(first[True], first[False]) >= ROUNDS / 40, f"hardly a race, one side nearly always came first: {first}"
