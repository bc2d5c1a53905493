"""Everything somebody owes by a due time: one answer counts, every other one is kept and told who came first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from storage import handoffs, undoing, waits, wakes
from storage.database import Database
from storage.tables import Answer, AnswerState, Event, PersonalText, Wait, Wake
from storage.undoing import Bar, Refusal
from storage.waits import Verdict
from tests.conftest import MONDAY
from tests.present import the
from tests.rows import a_handoff, a_wait

LATER = MONDAY + timedelta(minutes=3)
T = TypeVar("T")
UNTIL = MONDAY + timedelta(minutes=5)
TOO_LATE = Refusal(Bar.TOO_LATE)


class Do(Protocol):
    """Does something in a transaction of its own."""

    def __call__(self, work: Callable[[Session], T]) -> T: ...


@pytest.fixture
def do(database: Database) -> Do:
    """Does something in a transaction of its own."""

    def done(work: Callable[[Session], T]) -> T:
        with database.write() as session:
            return work(session)

    return done


@pytest.fixture
def wait(do: Do) -> Wait:
    """A wait for ana's acceptance, due an hour after nine."""
    return do(lambda session: a_wait(session, MONDAY))


def answer(
    do: Do,
    wait: Wait,
    kind: str,
    *,
    by: str = "ana",
    now: datetime = MONDAY,
    text: str = "",
    reason: str = "",
    **when: datetime,
) -> Verdict:
    new = waits.NewAnswer(kind, by=by, via="link", text=text, data={"reason": reason} if reason else {})
    return do(lambda session: waits.answer(session, wait.id, new, now=now, **when))


def stored(do: Do, wait: Wait) -> list[tuple[str, str]]:
    query = select(Answer).where(Answer.wait_id == wait.id).order_by(col(Answer.id))
    return [(row.kind, row.state) for row in do(lambda session: list(session.exec(query)))]


def told(do: Do, kind: str) -> list[Event]:
    return do(lambda session: list(session.exec(select(Event).where(Event.kind == kind))))


def keys_of_wakes(do: Do) -> list[str]:
    return do(lambda session: list(session.exec(select(Wake.key).order_by(col(Wake.id)))))


def test_a_handoff_has_one_open_wait_at_most(database: Database) -> None:
    def twice() -> None:
        with database.write() as session:
            handoff = a_handoff(session, MONDAY)
            waits.open_wait(session, handoff, waits.NewWait("acceptance", holder="ana", due_at=UNTIL), now=MONDAY)
            waits.open_wait(session, handoff, waits.NewWait("outcome", holder="ana", due_at=UNTIL), now=MONDAY)

    with pytest.raises(IntegrityError):
        twice()


def test_a_wait_is_looked_at_first_when_its_first_nudge_is_due(do: Do) -> None:
    nudges = [(UNTIL, "tell-manager"), (LATER, "remind")]

    found = do(lambda session: a_wait(session, MONDAY, nudges=nudges))

    assert found.next_at == LATER
    assert found.promised_at == found.due_at == MONDAY + timedelta(hours=1)


def test_the_first_answer_counts_and_wakes_the_run(do: Do, wait: Wait) -> None:
    verdict = answer(do, wait, "accepted")

    assert verdict.won
    assert verdict.winner == verdict.answer
    assert do(lambda session: the(session.get(Wait, wait.id)).answer_id) == verdict.answer.id
    assert keys_of_wakes(do) == [f"answer:{verdict.answer.id}"]


def test_a_later_opposite_answer_is_kept_and_told_who_came_first(do: Do, wait: Wait) -> None:
    first = answer(do, wait, "accepted")
    second = answer(do, wait, "rejected", by="maria", now=LATER, reason="not-now")

    assert not second.won
    winner = the(second.winner)
    assert (winner.kind, winner.by, winner.answered_at) == ("accepted", "ana", MONDAY)
    assert stored(do, wait) == [("accepted", AnswerState.COUNTED), ("rejected", AnswerState.LATE)]
    assert do(lambda session: the(session.get(Wait, wait.id)).answer_id) == first.answer.id


def test_a_late_answer_stands_in_the_trail_and_wakes_nobody(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted")
    before = keys_of_wakes(do)

    answer(do, wait, "rejected", by="maria", now=LATER)

    [event] = told(do, "answered-late")
    assert (event.actor, event.at, event.data["answer"]) == ("maria", LATER, "rejected")
    assert keys_of_wakes(do) == before


def test_the_same_answer_twice_is_one_and_a_late_one(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted")

    assert not answer(do, wait, "accepted", now=LATER).won
    assert stored(do, wait) == [("accepted", AnswerState.COUNTED), ("accepted", AnswerState.LATE)]


def test_a_deadline_comes_too_late_after_an_answer_and_an_answer_after_a_deadline(do: Do) -> None:
    one, other = (do(lambda session: a_wait(session, MONDAY)) for _ in range(2))
    answer(do, one, "accepted")
    answer(do, other, "deadline", by="clock")

    assert the(answer(do, one, "deadline", by="clock").winner).kind == "accepted"
    assert the(answer(do, other, "accepted").winner).kind == "deadline"


def test_an_answer_to_a_closed_wait_is_told_why_it_was_closed(do: Do, wait: Wait) -> None:
    do(lambda session: waits.close(session, the(session.get(Wait, wait.id)), because="suppressed", now=MONDAY))

    verdict = answer(do, wait, "accepted", now=LATER)

    assert (verdict.won, verdict.winner, verdict.closed_because) == (False, None, "suppressed")
    assert stored(do, wait) == [("accepted", AnswerState.LATE)]


def test_whether_an_answer_was_on_time_is_judged_by_when_it_was_given(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted", now=MONDAY + timedelta(hours=2), answered_at=MONDAY + timedelta(minutes=59))

    [event] = told(do, "answered-accepted")
    assert event.data["on_time"] is True
    assert event.at == MONDAY + timedelta(minutes=59)


def test_what_somebody_wrote_stays_out_of_the_trail(do: Do, wait: Wait) -> None:
    verdict = answer(do, wait, "rejected", text="They are bankrupt.", reason="other")

    [event] = told(do, "answered-rejected")
    assert "bankrupt" not in str(event.data)
    assert event.text_digest
    assert do(lambda session: the(session.get(PersonalText, verdict.answer.text_id)).text) == "They are bankrupt."


def test_an_answer_that_acts_later_wakes_the_run_again_then(do: Do, wait: Wait) -> None:
    verdict = answer(do, wait, "rejected", effective_at=UNTIL)

    rows = do(lambda session: list(session.exec(select(Wake).order_by(col(Wake.id)))))
    assert [(row.key, row.not_before) for row in rows] == [
        (f"answer:{verdict.answer.id}", MONDAY),
        (f"effective:{verdict.answer.id}", UNTIL),
    ]


def test_an_answer_is_taken_back_within_its_window(do: Do, wait: Wait) -> None:
    given = answer(do, wait, "accepted", effective_at=UNTIL).answer

    assert do(lambda session: undoing.undo(session, given.id, by="ana", now=LATER)) is None

    assert stored(do, wait) == [("accepted", AnswerState.UNDONE)]
    assert f"undo:{given.id}" in keys_of_wakes(do)
    assert [event.data["answer"] for event in told(do, "answer-undone")] == ["accepted"]


@pytest.mark.parametrize("after", [timedelta(0), timedelta(minutes=1)])
def test_an_answer_is_not_taken_back_once_its_window_is_over(do: Do, wait: Wait, after: timedelta) -> None:
    given = answer(do, wait, "accepted", effective_at=UNTIL).answer

    assert do(lambda session: undoing.undo(session, given.id, by="ana", now=UNTIL + after)) == TOO_LATE

    assert stored(do, wait) == [("accepted", AnswerState.COUNTED)]
    assert f"undo:{given.id}" not in keys_of_wakes(do)


def test_an_answer_is_taken_back_once(do: Do, wait: Wait) -> None:
    given = answer(do, wait, "accepted", effective_at=UNTIL).answer
    do(lambda session: undoing.undo(session, given.id, by="ana", now=LATER))

    assert do(lambda session: undoing.undo(session, given.id, by="ana", now=LATER)) == TOO_LATE
    assert len(told(do, "answer-undone")) == 1


def test_a_late_answer_cannot_be_taken_back(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted")
    late = answer(do, wait, "rejected", effective_at=UNTIL).answer

    assert do(lambda session: undoing.undo(session, late.id, by="ana", now=LATER)) == TOO_LATE


def test_after_an_undo_the_wait_can_be_answered_again_at_once(do: Do, wait: Wait) -> None:
    given = answer(do, wait, "accepted", effective_at=UNTIL).answer
    do(lambda session: undoing.undo(session, given.id, by="ana", now=LATER))

    again = answer(do, wait, "rejected", now=LATER)

    assert again.won
    assert do(lambda session: the(session.get(Wait, wait.id)).answer_id) == again.answer.id


def test_the_history_of_a_handoff_has_each_wait_with_the_answer_that_counted(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted")

    def go_on(session: Session) -> None:
        handoff = handoffs.get(session, wait.handoff_id)
        waits.close_open(session, handoff, because="accepted", now=LATER)
        waits.open_wait(session, handoff, waits.NewWait("first_attempt", holder="ana", due_at=UNTIL), now=LATER)

    do(go_on)

    found = do(lambda session: waits.history(session, wait.handoff_id))
    assert [(one.kind, given.kind if given else None) for one, given in found] == [("acceptance", "accepted"), ("first_attempt", None)]


def test_an_open_wait_that_is_locked_is_the_one_that_counts_now(do: Do, wait: Wait) -> None:
    assert the(do(lambda session: waits.open_of(session, wait.handoff_id, lock=True))).id == wait.id

    do(lambda session: waits.close(session, the(session.get(Wait, wait.id)), because="moved on", now=LATER))
    assert do(lambda session: waits.open_of(session, wait.handoff_id, lock=True)) is None


def test_the_wake_of_an_answer_is_due_at_once(do: Do, wait: Wait) -> None:
    answer(do, wait, "accepted")

    assert [one.kind for one in do(lambda session: wakes.pending(session, wait.handoff_id, now=MONDAY))] == ["answer"]
