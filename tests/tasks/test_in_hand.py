"""A lead whom a rep has does something: a request raises its tier and reaches the rep at once, anything else waits for the digest."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlmodel import select

from agreements.words import ChannelName
from storage.tables import Delivery
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import BY_POINTS, agree_on, does, letters, staff, tenures, until_accepted, until_working, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, newest

HOUR = timedelta(hours=1)


async def until_assigned(driver: Driver, box: Toolbox, **changes: object) -> Taken:
    taken = capture(box, **changes)
    await driver.settle()
    return taken


STAGES: dict[str, Callable[..., Awaitable[Taken]]] = {
    "assigned": until_assigned,
    "accepted": until_accepted,
    "working": until_working,
}


@pytest.mark.parametrize("stage", STAGES)
async def test_a_request_raises_the_tier_tightens_the_clock_and_reaches_the_rep_at_once(
    driver: Driver, box: Toolbox, time: SteppedTime, stage: str
) -> None:
    taken = await STAGES[stage](driver, box, **BY_POINTS)
    before = wait_of(box, taken)
    time.at += HOUR

    does(box, taken, "quote_requested")
    does(box, taken, "quote_requested")
    await driver.settle()

    wait, rep = wait_of(box, taken), tenures(box, taken)[0].rep
    assert (newest(box, taken).stage, newest(box, taken).tier, newest(box, taken).raised_from) == (stage, "hot", "normal")
    assert wait.id == before.id
    assert wait.due_at == wait.promised_at <= before.due_at
    assert wait.due_at > time.at
    assert letters(box, "asked-again") == [rep]
    [line] = [one for one in events_of(box, taken) if one.kind == "asked-in-hand"]
    assert (line.data["activity"], line.data["tier"]) == ("quote_requested", "hot")


async def test_the_clocks_that_open_later_count_from_the_request_and_not_from_the_assignment(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_assigned(driver, box, **BY_POINTS)
    time.at += 2 * HOUR
    does(box, taken, "quote_requested")
    await driver.settle()
    due = wait_of(box, taken).due_at
    time.at += timedelta(minutes=1)

    answer_by_link(box, taken, "accepted")
    await driver.settle()

    first = wait_of(box, taken)
    assert first.kind == "first_attempt"
    assert due > time.at, "the request's own clock runs"
    assert first.due_at > time.at
    assert first.due_at < MONDAY + timedelta(hours=8), "a hot lead is called the same day"


@pytest.mark.parametrize(
    ("rule", "tier", "told"),
    [("raise-tier", "hot", 1), ("tell", "normal", 1), ("digest", "normal", 0), ("page", "normal", 0)],
)
async def test_the_agreement_says_what_a_request_does(
    driver: Driver, box: Toolbox, time: SteppedTime, rule: str, tier: str, told: int
) -> None:
    agree_on(box, lambda tree: tree.update(on_activity={"fast_lane": rule, "other": "page"}))
    taken = await until_accepted(driver, box, **BY_POINTS)
    due = wait_of(box, taken).due_at
    time.at += HOUR

    does(box, taken, "quote_requested")
    await driver.settle()

    assert newest(box, taken).tier == tier
    assert len(letters(box, "asked-again")) == told
    assert (wait_of(box, taken).due_at < due) == (rule == "raise-tier")


async def test_a_hot_lead_stays_hot_and_its_rep_is_told(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box)
    due = wait_of(box, taken).due_at
    time.at += timedelta(minutes=1)

    does(box, taken, "quote_requested")
    await driver.settle()

    assert (newest(box, taken).tier, newest(box, taken).raised_at, wait_of(box, taken).due_at) == ("hot", None, due)
    assert letters(box, "asked-again") == [tenures(box, taken)[0].rep]


async def test_what_a_file_says_about_the_past_is_no_request_now(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_accepted(driver, box, **BY_POINTS)

    does(box, taken, "quote_requested", at=MONDAY - timedelta(days=30))
    await driver.settle()

    assert (newest(box, taken).tier, letters(box, "asked-again")) == ("normal", [])


async def test_other_activities_stand_in_the_digest_once_each(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box, **BY_POINTS)
    for number, activity in enumerate(["webinar_attended", "page_viewed", "page_viewed", "page_viewed"]):
        does(box, taken, activity, path=f"/{number}")
    await driver.run(until=time.at + timedelta(days=1))

    rep = tenures(box, taken)[0].rep
    digest = next(one for one in kept_by(box, "email").letters if one.message == "digest" and one.to.id == rep)
    assert "New: webinar attended, page viewed." in " ".join(digest.text.split())
    assert letters(box, "asked-again") == []
    assert newest(box, taken).tier == "normal"


async def test_the_deputy_of_a_rep_who_is_away_is_told_too(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lambda tree: tree["routing"].update(on_leave={"assigned": "keep", "accepted": "keep", "working": "keep"}))
    taken = await until_working(driver, box, **BY_POINTS)
    rep = tenures(box, taken)[0].rep
    staff(box, (f"  {rep}: {{", f"  {rep}: {{away: [{{from: 2027-02-01T00:00:00Z, until: 2027-02-09T00:00:00Z, deputy: cleo}}], "))

    does(box, taken, "quote_requested")
    await driver.settle()

    assert letters(box, "asked-again") == [rep, "cleo"]


async def test_the_message_goes_over_the_channels_of_the_tier(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    def quiet(tree: dict) -> None:  # type: ignore[type-arg]
        next(one for one in tree["tiers"] if one["name"] == "hot")["channels"] = ["chat", "email"]

    agree_on(box, quiet)
    taken = await until_accepted(driver, box, **BY_POINTS)
    does(box, taken, "quote_requested")
    await driver.settle()

    rows = box.read_now(lambda session, now: list(session.exec(select(Delivery).where(Delivery.message == "asked-again"))))
    wanted: list[ChannelName] = ["chat", "email"]
    assert sorted(one.channel for one in rows) == wanted
    assert {str(one.state) for one in rows} <= {"sent", "confirmed"}
