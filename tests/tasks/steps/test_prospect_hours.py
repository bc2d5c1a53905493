"""A rep calls when the lead is awake, and everybody sees since when the lead waits by its own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tasks.messages import lead_view
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import until_accepted, wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, capture, events_of, newest

#: Who asks, when the first call is due (UTC, the rep is in London and accepts on Monday at nine), and what the trail says.
CASES: list[tuple[dict[str, Any], datetime, list[str]]] = [
    ({"country": "United Kingdom"}, datetime(2027, 2, 1, 11, tzinfo=UTC), []),
    ({"country": "US", "phone": "+1 212 555 0123"}, datetime(2027, 2, 1, 14, tzinfo=UTC), ["call-moved"]),
    ({"country": "GB", "fields": {"timezone": "America/New_York"}}, datetime(2027, 2, 1, 14, tzinfo=UTC), ["call-moved"]),
    ({"country": "AU", "phone": "+61 2 9374 4000"}, datetime(2027, 2, 1, 11, tzinfo=UTC), ["no-shared-hours"]),
    ({"country": "", "phone": "020 7946 0001"}, datetime(2027, 2, 1, 11, tzinfo=UTC), []),
]


@pytest.mark.parametrize(("lead", "due", "said"), CASES)
async def test_a_first_call_is_due_when_both_sides_are_awake(
    driver: Driver, box: Toolbox, lead: dict[str, Any], due: datetime, said: list[str]
) -> None:
    taken = await until_accepted(driver, box, activity="demo_requested", **lead)

    assert wait_of(box, taken).due_at == due
    assert [event.kind for event in events_of(box, taken) if event.kind in ("call-moved", "no-shared-hours")] == said


@pytest.mark.parametrize(
    ("wait", "early", "late"),
    [(timedelta(hours=1), True, False), (timedelta(hours=3, minutes=10), False, False), (timedelta(hours=5), False, True)],
    ids=["before", "in time", "after"],
)
async def test_an_attempt_before_or_after_the_requested_time_is_said(
    driver: Driver, box: Toolbox, time: SteppedTime, wait: timedelta, early: bool, late: bool
) -> None:
    """Asked for at twelve, due at half past twelve."""
    taken = await until_accepted(driver, box, requested_time=time.at + timedelta(hours=3))
    time.at += wait

    answer_by_link(box, taken, "attempted")
    await driver.settle()

    (touched,) = [event for event in events_of(box, taken) if event.kind == "touched"]
    assert (touched.data["too_early"], touched.data["too_late"]) == (early, late)


async def test_the_lead_is_shown_with_its_own_clock(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, country="Deutschland", at=time.at - timedelta(hours=3, minutes=20), requested_time=time.at + timedelta(hours=2))
    await driver.settle()

    view = box.read_now(lambda session, now: lead_view.lead_view(session, newest(box, taken), now=now))

    assert view.asked == "3 h 20 min ago, at Mon 06:40 their time"
    assert view.requested_there == "Mon 12:00 their time"


async def test_a_request_counts_and_not_what_the_lead_does_later(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box, country="GB", activity="demo_requested", at=time.at - timedelta(hours=1))
    capture(box, country="GB", activity="page_viewed", conversion_id="later", at=time.at)
    await driver.settle()

    view = box.read_now(lambda session, now: lead_view.lead_view(session, newest(box, taken), now=now))

    assert view.asked == "1 h ago, at Mon 08:00 their time"
