"""A review of what cannot be: it is said, nothing crashes, and nothing counts twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import Session

from agreements.review.notes import NoteCode
from agreements.review.share import Share
from app.review.report import Review
from storage import opportunities
from tasks.steps.merging import merge
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.review.ground import period, reviewed
from tests.deal import agree_on, does, until_accepted, until_working
from tests.driver import Driver
from tests.present import the
from tests.stage import answer_by_link, capture, local_crm, newest
from tests.tasks.crm.test_same_as_by_link import two_way

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
#: Notes that these tests do not ask for.
BESIDE: tuple[NoteCode, ...] = ("no-amount", "several-versions", "opportunity-not-shown", "period-not-over")


def named(found: Review) -> dict[NoteCode, tuple[str, ...]]:
    """Return which things each note names, without the notes that the test does not ask for."""
    return {one.code: one.which for one in found.notes if one.code not in BESIDE}


def wins(found: Review) -> list[Share]:
    """Return the wins of each source."""
    return [one.won for one in found.by_source]


async def test_an_opportunity_of_nobody_is_named_and_counts_nowhere(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    await until_working(driver, box)
    deal = local_crm(box).person_sets_opportunity(4711, by="ana", at=time.at, state="won", amount="99", currency="EUR")
    await driver.settle()

    found = reviewed(box, period())

    assert named(found) == {"opportunity-without-lead": (deal,)}
    assert (found.days_to_won.won, found.money, wins(found)) == (0, (), [Share(count=0, of=1)])


async def test_a_win_before_its_lead_came_is_a_win_without_days(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    early = local_crm(box).person_sets_opportunity(0, by="ana", at=time.at, state="won", closed_on="2027-02-01")
    await driver.settle()
    time.at += 2 * DAY
    taken = await until_accepted(driver, box)
    time.at += MINUTE
    local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at, opportunity=early)
    await driver.settle()

    found = reviewed(box, period())

    assert named(found) == {"won-before-the-lead-came": (early,)}
    assert (found.days_to_won.won, found.days_to_won.counted, wins(found)) == (1, 0, [Share(count=1, of=1)])
    assert [(one.opportunity.reached, one.won.reached) for one in found.cohorts] == [(Share(count=1, of=1), Share(count=1, of=1))]


async def test_an_opportunity_that_ended_before_it_began_counts_without_days(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    time.at += 20 * DAY
    deal = local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at, state="won", closed_on="2027-02-09")
    await driver.settle()

    found = reviewed(box, period())

    assert named(found) == {"closed-before-opened": (deal,)}
    assert (found.days_to_won.won, found.days_to_won.counted, wins(found)) == (1, 0, [Share(count=1, of=1)])


async def test_a_deal_of_the_evening_that_is_tomorrow_in_utc_is_no_lie_and_belongs_to_its_own_day(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lambda tree: tree.update(timezone="America/Los_Angeles"))
    taken = await until_working(driver, box)
    time.at = time.at.replace(day=2, hour=3)  # seven in the evening of 1 February in Los Angeles
    local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at, state="won", closed_on="2027-02-01")
    await driver.settle()

    found = reviewed(box, replace(period(date(2027, 2, 1), date(2027, 2, 1)), zone="America/Los_Angeles"))

    assert named(found) == {}
    assert (found.days_to_won.won, found.days_to_won.longest) == (1, 0)


async def test_a_deal_of_the_day_on_which_its_lead_came_belongs_to_that_lead_and_to_its_last_campaign(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = await until_working(driver, box, campaign="fair")
    time.at += MINUTE
    does(box, taken, "demo_requested", campaign="demo")
    time.at += MINUTE
    deal = local_crm(box).person_sets_opportunity(
        taken.lead_id, by="ana", at=time.at, opened_on=f"{time.at.date()}", amount="5", currency="EUR"
    )
    await driver.settle()
    box.write_now(lambda session, now: forget_handoff(session, deal))

    found = reviewed(box, period())

    assert named(found) == {}
    assert [(one.which, one.campaign, one.money.opened_amount) for one in found.campaigns] == [("first", "fair", 5), ("last", "demo", 5)]


def forget_handoff(session: Session, deal: str) -> None:
    """The CRM names the lead of the deal, and no handoff."""
    row = the(opportunities.named(session, deal))
    row.handoff_id = None
    session.add(row)


@pytest.mark.parametrize("merged_first", [True, False])
async def test_the_win_of_a_lead_that_came_twice_counts_once_as_the_lead_that_goes_on(
    driver: Driver, box: Toolbox, time: SteppedTime, merged_first: bool
) -> None:
    goes_on = await until_working(driver, box, source_id="one", email="one@one.example")
    again = await until_working(driver, box, source_id="two", email="two@two.example")
    deal = local_crm(box).person_sets_opportunity(again.lead_id, by="ana", at=time.at, stage="Discovery", amount="500", currency="EUR")
    if not merged_first:
        await win(driver, box, time, again.lead_id, deal)
    box.write_now(lambda session, now: merge(session, again.lead_id, goes_on.lead_id, by="mina", now=now))
    await driver.settle()
    if merged_first:
        await win(driver, box, time, again.lead_id, deal)

    found = reviewed(box, period())

    assert sum(one.won.count for one in found.by_source) == 1
    assert [(one.won.of, one.won_amount) for one in found.money] == [(1, 500)]
    assert found.days_to_won.won == 1


async def win(driver: Driver, box: Toolbox, time: SteppedTime, lead: int, deal: str) -> None:
    """The CRM says that the deal is won."""
    time.at += MINUTE
    local_crm(box).person_sets_opportunity(lead, by="ana", at=time.at, opportunity=deal, state="won", closed_on=f"{time.at.date()}")
    await driver.settle()


async def test_a_conversion_that_comes_twice_is_one_lead(driver: Driver, box: Toolbox) -> None:
    first = await until_working(driver, box, source_id="twice", email="pat@pat.example", conversion_id="form-1")
    for source in ("test", "fair"):
        capture(box, source=source, source_id="twice", email="pat@pat.example", conversion_id="form-1")
    await driver.settle()

    found = reviewed(box, period())

    assert newest(box, first).stage == "working"
    assert (found.funnel.began, found.funnel.mqls, found.open_leads) == (1, 1, 1)


async def test_a_clock_that_goes_back_crashes_nothing_and_is_said(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    time.at -= 3 * DAY
    answer_by_link(box, taken, "accepted")
    await driver.settle()
    answer_by_link(box, taken, "attempted")
    await driver.settle()
    answer_by_link(box, taken, "opportunity")
    await driver.settle()
    deal(box, taken.lead_id, time)

    found = reviewed(box, period(date(2027, 1, 1)))

    assert named(found)["out-of-order"] == (str(taken.lead_id),)
    assert (found.funnel.mqls, found.funnel.accepted, found.speeds[0].median_seconds) == (1, Share(count=1, of=1), None)


def deal(box: Toolbox, lead: int, time: SteppedTime) -> None:
    """The newest opportunity of the lead is won today."""

    def work(session: Session, now: object) -> None:
        row = opportunities.of_lead(session, lead)[-1]
        opportunities.hear(session, the(opportunities.named(session, row.crm_id)), {"state": "won"}, at=time.at)

    box.write_now(work)


async def test_a_period_in_which_nothing_happened_says_so(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, two_way)
    await until_working(driver, box)
    time.at += 40 * DAY

    found = reviewed(box, period(date(2026, 12, 1), date(2026, 12, 31)))

    assert named(found) == {"empty-period": ()}
    assert (found.funnel.mqls, found.money, found.by_source, found.open_leads) == (0, (), (), 0)
    assert {one.reached for one in found.objectives if one.share} == {None}
