"""Deadlines come before everything else that time brings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert
from sqlmodel import Session, col, select

from storage.tables import Answer, Handoff, Lead, Wait, Wake, new_id
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, newest

MINUTE = timedelta(minutes=1)


def waiting(session: Session, now: datetime, count: int, **times: datetime) -> None:
    """So many handoffs with an open wait for acceptance, seeded in bulk."""
    first = (session.exec(select(Lead.id).order_by(col(Lead.id).desc()).limit(1)).first() or 0) + 1
    ids = range(first, first + count)
    session.execute(insert(Lead), [Lead(id=one, created_at=now).model_dump() for one in ids])
    given: dict[str, Any] = {"agreement": "b2b-saas", "version": 1, "stage": "assigned", "step": "acceptance", "created_at": now}
    rows = [Handoff(id=one, lead_id=one, **given) for one in ids]
    session.execute(insert(Handoff), [row.model_dump() for row in rows])
    more: dict[str, Any] = {"kind": "acceptance", "holder": "ana", "opened_at": now, "promised_at": times["due_at"], **times}
    session.execute(insert(Wait), [Wait(id=new_id(), handoff_id=one, **more).model_dump() for one in ids])


def deadlines_of(box: Toolbox) -> list[int]:
    return box.read_now(lambda session, now: list(session.exec(select(Answer.handoff_id).where(Answer.kind == "deadline"))))


async def test_a_missed_deadline_is_not_behind_five_hundred_nudges(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    due = wait_of(box, taken).due_at
    early, late = due - 60 * MINUTE, due + 60 * MINUTE
    box.write_now(lambda session, now: waiting(session, now, 500, next_at=early, due_at=late))
    time.at = due

    await driver.clock.deadlines.missed()

    assert deadlines_of(box) == [newest(box, taken).id]


async def test_nudges_that_wake_a_run_are_asked_for_once_and_make_room_for_others(
    driver: Driver, box: Toolbox, time: SteppedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A round is full of those whose run is about to be moved anyway: the next one still gets its turn."""
    monkeypatch.setattr("app.deadlines.ROUND", 3)
    now = time.at
    box.write_now(lambda session, at: waiting(session, at, 5, next_at=now, due_at=now + 60 * MINUTE))

    first, second, third = [await driver.clock.deadlines.nudges() for _ in range(3)]

    assert (first, second, third) == (3, 2, 0)


async def test_many_deadlines_of_one_minute_are_stored_in_few_transactions_each_as_of_its_time(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    due = time.at + MINUTE
    box.write_now(lambda session, now: waiting(session, now, 120, next_at=due, due_at=due))
    time.at += 3 * MINUTE

    moved = await driver.clock.deadlines.missed()

    answers = box.read_now(lambda session, now: list(session.exec(select(Answer).where(Answer.kind == "deadline"))))
    assert (moved, len(answers), {row.answered_at for row in answers}) == (120, 120, {due})
    kept = box.read_now(lambda session, now: session.exec(select(Wake.key)).all())
    assert {f"answer:{row.id}" for row in answers} <= set(kept)
    assert await driver.clock.deadlines.missed() == 0


async def test_who_answers_at_the_last_moment_is_not_overtaken_by_the_deadline(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    time.at = wait_of(box, taken).due_at
    answer_by_link(box, taken, "accepted")

    assert await driver.clock.deadlines.missed() == 0
    await driver.settle()
    assert newest(box, taken).stage == "accepted"
