"""A nurtured lead is looked at again: it comes back with new evidence, or is given up after the agreed number of rounds."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from storage import figures, leads, suppressions
from storage.tables import AgreementVersion, Handoff
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import NOT_YET, agree, wait_if_any, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, capture, events_of, newest

DAY = timedelta(days=1)


def handoffs_of(box: Toolbox, taken: Taken) -> list[Handoff]:
    query = select(Handoff).where(Handoff.lead_id == taken.lead_id).order_by(col(Handoff.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


async def not_yet(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    """A lead that fits and has not done enough yet, in nurture."""
    taken = capture(box, **{**NOT_YET, **changes})
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "not-ready")
    return taken


def does(box: Toolbox, taken: Taken, activity: str, **changes: object) -> None:
    """The lead does something more."""
    capture(box, source_id=taken.source_id, email=taken.incoming.email, conversion_id=activity, activity=activity, **changes)


async def test_a_lead_that_is_not_ready_is_looked_at_again_on_the_agreed_day(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)

    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder, wait.due_at) == ("revisit", "marketing", time.at + 90 * DAY)


async def test_new_evidence_that_meets_the_rule_brings_a_lead_back_at_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    time.at += 3 * DAY

    does(box, taken, "webinar_attended")
    await driver.settle()

    first, second = handoffs_of(box, taken)
    assert (second.previous_id, second.stage, second.created_at) == (first.id, "assigned", time.at)
    assert wait_of(box, taken).kind == "acceptance"
    assert "came-back" in [event.kind for event in events_of(box, taken)]
    assert box.read_now(lambda session, now: leads.open_revisits(session, now=now + 300 * DAY)) == []


async def test_new_evidence_that_is_not_enough_changes_nothing_but_is_kept(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    due = wait_of(box, taken).due_at
    time.at += 3 * DAY

    does(box, taken, "page_viewed", path="/blog")
    await driver.settle()

    assert len(handoffs_of(box, taken)) == 1
    assert (wait_of(box, taken).due_at, wait_of(box, taken).next_at) == (due, due)


async def test_a_fast_lane_request_brings_a_rejected_lead_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")
    await driver.settle()
    time.at += DAY

    does(box, taken, "quote_requested")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert newest(box, taken).fast_lane


async def test_the_request_that_sales_rejected_does_not_bring_the_lead_back_by_itself(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="not-now")

    await driver.run(until=time.at + 61 * DAY, revisits=True)

    assert len(handoffs_of(box, taken)) == 1
    assert newest(box, taken).revisits == 1


async def test_a_lead_comes_back_under_the_agreement_then_in_force(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    agree(box, ("mql: {total: 60, fit_at_least: 30", "mql: {total: 61, fit_at_least: 30"))
    time.at += DAY

    does(box, taken, "webinar_attended")
    await driver.settle()

    assert [one.version for one in handoffs_of(box, taken)] == [1, 2]


async def test_a_lead_without_new_evidence_is_given_up_after_the_agreed_rounds(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = await not_yet(driver, box)

    await driver.run(until=start + 271 * DAY, revisits=True)
    assert (newest(box, taken).stage, newest(box, taken).revisits) == ("nurturing", 3)
    await driver.run(until=start + 361 * DAY, revisits=True)

    handoff = newest(box, taken)
    assert (handoff.stage, handoff.outcome, handoff.reason) == ("disqualified", "disqualified", "exhausted")
    assert wait_if_any(box, taken) is None
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.unaccounted, found.stages) == (0, {"disqualified": 1})


async def test_a_lead_that_was_given_up_and_asks_again_begins_anew(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    await driver.run(until=time.at + 361 * DAY, revisits=True)

    does(box, taken, "demo_requested")
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
    assert newest(box, taken).revisits == 0


async def test_each_round_follows_the_time_agreed_for_the_reason(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    start = time.at
    taken = capture(box)
    await driver.settle()
    answer_by_link(box, taken, "rejected", reason="no-budget")

    await driver.run(until=start + 130 * DAY, revisits=True)

    assert wait_of(box, taken).due_at == start + 240 * DAY


async def test_who_may_not_be_contacted_never_comes_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    box.write_now(lambda session, now: suppressions.suppress(session, taken.incoming.email, reason="asked", now=now))
    time.at += DAY

    does(box, taken, "demo_requested")
    await driver.run(until=time.at + 100 * DAY, revisits=True)

    assert len(handoffs_of(box, taken)) == 1
    assert newest(box, taken).stage == "nurturing"


async def test_who_asks_not_to_be_contacted_while_doing_something_never_comes_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    time.at += DAY

    does(box, taken, "demo_requested", do_not_contact=True)
    await driver.settle()

    assert len(handoffs_of(box, taken)) == 1


async def test_while_no_agreement_is_in_force_a_nurtured_lead_waits(
    driver: Driver, box: Toolbox, time: SteppedTime, caplog: pytest.LogCaptureFixture
) -> None:
    taken = await not_yet(driver, box)

    def close(session: Session, now: datetime, closed: bool) -> None:
        the(session.get(AgreementVersion, ("b2b-saas", 1))).closed = closed

    box.write_now(lambda session, now: close(session, now, True))
    time.at += DAY
    does(box, taken, "webinar_attended")
    await driver.settle()
    assert len(handoffs_of(box, taken)) == 1

    box.write_now(lambda session, now: close(session, now, False))
    await driver.run(until=time.at + timedelta(hours=1), revisits=True)

    assert newest(box, taken).stage == "assigned"
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_two_things_done_at_once_bring_a_lead_back_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await not_yet(driver, box)
    time.at += DAY
    does(box, taken, "webinar_attended")
    does(box, taken, "demo_requested")

    await driver.settle()

    assert [one.stage for one in handoffs_of(box, taken)] == ["nurturing", "assigned"]
