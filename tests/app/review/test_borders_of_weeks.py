"""What begins in one week and is decided in the next counts once: in the week in which it was decided."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from agreements.words import GivenAnswer
from app.review.week_counting import count_week
from storage import contracts
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.driver import Driver
from tests.stage import answer_by_link, capture

FRIDAY, MONDAY = datetime.fromisoformat("2027-02-05T16:30:00+00:00"), datetime.fromisoformat("2027-02-08T09:05:00+00:00")
#: What sales answers on Monday.
MONDAYS: tuple[tuple[str, GivenAnswer], ...] = (("late", "accepted"), ("late", "attempted"), ("early", "attempted"))
FIRST, SECOND, BOTH = ("2027-02-01", "2027-02-07"), ("2027-02-08", "2027-02-14"), ("2027-02-01", "2027-02-14")


async def test_a_lead_of_friday_that_is_accepted_on_monday_counts_on_monday(
    driver: Driver, box: Toolbox, time: SteppedTime, request: pytest.FixtureRequest
) -> None:
    """And so does a lead that was accepted on Friday and is called on Monday."""
    box.settings.undo_minutes = None
    time.at = FRIDAY
    early, late = capture(box, email="early@one.example"), capture(box, email="late@two.example")
    await driver.settle()
    answer_by_link(box, early, "accepted")
    await driver.settle()
    time.at = MONDAY
    for lead, answer in MONDAYS:
        answer_by_link(box, {"early": early, "late": late}[lead], answer)
        await driver.settle()
    time.at += timedelta(minutes=1)

    week = box.read_now(lambda session, now: count_week(contracts.read(contracts.deployed(session, "b2b-saas")[0]), session, now))
    time.at += timedelta(days=7)
    baton: Command = request.getfixturevalue("baton")

    assert shares(baton, FIRST) == {"accepted": (1, 1), "worked": (0, 0)}
    assert shares(baton, SECOND) == {"accepted": (1, 1), "worked": (2, 2)}
    assert shares(baton, BOTH) == {"accepted": (2, 2), "worked": (2, 2)}
    assert {
        one.aim: (one.share.count, one.share.of) for one in week.objectives if one.share and one.aim in ("accepted", "worked")
    } == shares(baton, SECOND)


def shares(baton: Command, days: tuple[str, str]) -> dict[str, tuple[int, int]]:
    """Return the two shares that a review of these days has, as counts."""
    done = baton("review", "--from", days[0], "--to", days[1], "--json", "-")
    assert done.exit_code == 0, (done.output, done.exception)
    found: list[dict[str, Any]] = json.loads(done.stdout)["objectives"]
    return {one["aim"]: (one["share"]["count"], one["share"]["of"]) for one in found if one["aim"] in ("accepted", "worked")}
