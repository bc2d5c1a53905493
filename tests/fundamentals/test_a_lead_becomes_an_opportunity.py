"""The main story, told with the real steps on real storage."""

from __future__ import annotations

from datetime import timedelta

from storage import figures, handoffs
from tasks import intake
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, events_of, kept_by, newest


async def test_a_demo_request_is_assigned_accepted_worked_and_becomes_an_opportunity(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """Inquiry, MQL, assigned, accepted, working, opportunity: each stage is left by what somebody did."""
    captured = capture(box)
    await driver.settle()
    assert newest(box, captured).stage == "assigned"

    for choice in ("accepted", "connected", "opportunity"):
        time.at += timedelta(minutes=20)
        answer_by_link(box, captured, choice)
        await driver.settle()

    assert newest(box, captured).stage == "opportunity"
    kinds = [event.kind for event in events_of(box, captured)]
    for kind in ("captured", "screened", "qualified", "documented", "assigned", "notified", "accepted", "attempted", "opportunity"):
        assert kind in kinds


async def test_silence_climbs_the_ladder_to_a_colleague(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """A rep who never answers is reminded, his manager is told, and the lead goes to somebody else."""
    captured = capture(box)
    await driver.settle()
    first = newest(box, captured).rep

    await driver.run(until=time.at + timedelta(minutes=31))

    handoff = newest(box, captured)
    assert handoff.stage == "assigned"
    assert handoff.rep != first
    assert {letter.message for letter in kept_by(box, "email").letters} >= {"assigned", "reminder", "manager-told", "withdrawn"}


async def test_a_lead_that_nobody_answers_ends_in_nurture_and_is_accounted_for(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """However long the ladder, it ends; and no lead is lost on it."""
    captured = capture(box)

    await driver.run(until=time.at + timedelta(days=30))

    assert newest(box, captured).stage == "nurturing"
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert found.unaccounted == 0
    assert found.unanswered == 4


async def test_a_rejection_goes_back_to_nurture_with_a_revisit_date(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Not now: the lead is looked at again on the agreed day, and comes back when it asks."""
    captured = capture(box)
    await driver.settle()
    answer_by_link(box, captured, "rejected", reason="not-now")
    await driver.settle()
    handoff = newest(box, captured)
    assert (handoff.stage, handoff.reason) == ("nurturing", "not-now")
    assert wait_of(box, captured).due_at == time.at + timedelta(days=60)

    time.at += timedelta(days=9)
    capture(box, source_id=captured.source_id, conversion_id="again", activity="quote_requested")
    await driver.settle()

    back = newest(box, captured)
    assert back.previous_id == handoff.id
    assert back.stage == "assigned"


async def test_an_accepted_lead_cannot_rot(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Accepted and never attempted: the manager is told, then the lead goes to somebody else."""
    captured = capture(box)
    await driver.settle()
    answer_by_link(box, captured, "accepted")
    await driver.settle()
    rep = newest(box, captured).rep

    await driver.run(until=time.at + timedelta(days=2))

    history = box.read_now(lambda session, now: handoffs.assignments(session, newest(box, captured).id))
    assert history[0].rep == rep
    assert history[0].ended_because == "not attempted in time"


async def test_the_same_inquiry_twice_is_one(box: Toolbox) -> None:
    """Same source id and same conversion: nothing happens the second time."""
    first = capture(box)
    again = box.write_now(lambda session, now: intake.capture(session, first.incoming, now=now))
    assert again.kind == "repeated"
