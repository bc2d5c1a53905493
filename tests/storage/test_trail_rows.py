"""Rows that Baton itself changes again are no findings: several events tell of one row, and the last one counts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from storage import contracts, trail, undoing
from storage.tables import Answer, Assignment, Delivery, Signature, Wait
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, does, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, events_of

MINUTE = timedelta(minutes=1)


def findings(box: Toolbox) -> tuple[str, ...]:
    with box.database.read() as session:
        now = box.time.now(session)
    with box.database.read() as session:
        return trail.check(session, key=box.settings.seal_key(), now=now).findings


async def test_a_deadline_that_turns_out_to_count_no_more_is_no_finding(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """The proof had come in time, and nobody had looked."""
    box.channels["email"].may_bounce = True
    capture(box, **BY_POINTS)
    await driver.settle()
    time.at += 11 * MINUTE
    await driver.settle()

    assert findings(box) == ()


async def test_an_answer_that_is_taken_back_and_one_after_it_are_no_finding(driver: Driver, box: Toolbox) -> None:
    box.settings.undo_minutes = 5
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    box.write_now(lambda session, now: undoing.undo(session, session.exec(select(Answer.id)).one(), by="ana", now=now))
    await driver.settle()

    assert box.read_now(lambda session, now: session.exec(select(Answer.state)).all()) == ["undone"]
    assert findings(box) == ()


@pytest.mark.parametrize("stage", ["assigned", "accepted"])
async def test_a_due_time_that_a_new_request_made_earlier_is_no_finding_and_one_moved_by_hand_is(
    driver: Driver, box: Toolbox, time: SteppedTime, stage: str
) -> None:
    taken = capture(box, **BY_POINTS)
    await driver.settle()
    if stage == "accepted":
        answer_by_link(box, taken, "accepted")
        await driver.settle()
    before = wait_of(box, taken)
    time.at += timedelta(hours=1)
    does(box, taken, "quote_requested")

    wait = wait_of(box, taken)
    assert (wait.id, wait.due_at < before.due_at) == (before.id, True)
    assert findings(box) == ()

    box.write_now(lambda session, now: session.execute(update(Wait).where(col(Wait.id) == wait.id).values(due_at=before.due_at)))

    assert findings(box) == (f"The wait {wait.id} was changed: its due_at is not what event {events_of(box, taken)[-1].id} says.",)


@pytest.mark.parametrize("rep", ["ben", "nobody"])
async def test_an_assignment_that_was_given_to_somebody_by_hand_is_a_finding_also_after_it_was_accepted(
    driver: Driver, box: Toolbox, rep: str
) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    assert findings(box) == ()

    box.write_now(lambda session, now: session.execute(update(Assignment).values(rep=rep)))

    assert len(findings(box)) == 1
    assert "its rep is not what event" in findings(box)[0]


async def test_a_message_that_counts_before_its_time_is_a_finding(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    box.channels["email"].may_bounce = True
    capture(box, **BY_POINTS)
    await driver.settle()
    box.write_now(lambda session, now: session.execute(update(Delivery).where(col(Delivery.state) == "sent").values(state="confirmed")))

    assert [finding for finding in findings(box) if "it counts as arrived too early" in finding]


def _withdrawn(session: Session, hash: str, now: datetime) -> None:
    trail.record(session, "signature-withdrawn", now=now, actor="Maria Keller", hash=hash, party="sales")


async def test_a_signature_that_was_withdrawn_and_given_again_is_no_finding(box: Toolbox, time: SteppedTime) -> None:
    row = box.read_now(lambda session, now: contracts.counting(session, now)[0])
    sales = delete(Signature).where(col(Signature.party) == "sales")
    box.write_now(lambda session, now: session.execute(sales))
    assert len(findings(box)) == 1

    box.write_now(lambda session, now: _withdrawn(session, row.hash, now))
    assert findings(box) == ()

    again = Signature(hash=row.hash, party="sales", name="Maria Keller", via="link", address="", signed_at=time.at)
    box.write_now(lambda session, now: session.add(again))
    assert [finding for finding in findings(box) if "is in no event of the trail" in finding]

    said: dict[str, Any] = {"hash": row.hash, "party": "sales", "via": "link", "address": ""}
    box.write_now(lambda session, now: trail.record(session, "signed", now=now, actor="Maria Keller", **said))
    assert findings(box) == ()
