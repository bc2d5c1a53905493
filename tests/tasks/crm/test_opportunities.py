"""Opportunities in the CRM: kept in a table, an answer of the rep, and a route when they are lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from storage import opportunities
from storage.tables import Opportunity
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import agree_on, until_accepted, until_working, wait_if_any, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import Taken, answer_by_link, answers_of, capture, events_of, local_crm, newest, token_of
from tests.tasks.crm.test_same_as_by_link import two_way

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def deal(box: Toolbox, time: SteppedTime, taken: Taken, opportunity: str = "", **values: str) -> str:
    return local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at, opportunity=opportunity, **values)


def kept(box: Toolbox) -> list[Opportunity]:
    return box.read_now(lambda session, now: list(session.exec(select(Opportunity).order_by(Opportunity.crm_id))))


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken) if event.kind.startswith("opportunity")]


def lost_to_nurture(tree: dict[str, Any]) -> None:
    two_way(tree)
    tree["crm"]["lost"] = {"then": "nurture", "track": "lost-deal", "revisit": "30 days"}
    for reason in tree["reasons"]:
        if reason["code"] == "uses-competitor":
            reason["crm"] = {"reason": "uses-competitor", "lost_reason": "Competitor won"}


async def test_an_opportunity_of_the_rep_is_the_answer_and_is_kept_up(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    time.at += 10 * MINUTE

    made = deal(box, time, taken, stage="Discovery", amount="45000", currency="EUR")
    await driver.settle()
    time.at += DAY
    deal(box, time, taken, made, stage="Proposal", amount="52000.50")
    await driver.settle()
    time.at += DAY
    deal(box, time, taken, made, stage="Closed won", state="won", closed_on=time.at.date().isoformat())
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).outcome) == ("opportunity", "opportunity")
    [row] = kept(box)
    assert (row.stage, row.amount, row.currency, row.state, row.faults) == ("Closed won", 5_200_050, "EUR", "won", {})
    assert (row.lead_id, row.handoff_id, row.by_baton) == (taken.lead_id, newest(box, taken).id, False)
    assert kinds(box, taken) == ["opportunity-opened", "opportunity", "opportunity-changed", "opportunity-won"]
    assert local_crm(box).opportunities_of(taken.lead_id) == [made]


@pytest.mark.parametrize(
    ("reason", "track", "days"), [("", "lost-deal", 30), ("Competitor won", "competitor", 270), ("No budget", "value", 120)]
)
async def test_a_lost_opportunity_takes_the_route_of_its_reason(
    driver: Driver, box: Toolbox, time: SteppedTime, reason: str, track: str, days: int
) -> None:
    agree_on(box, lost_to_nurture)
    taken = await until_working(driver, box)
    made = deal(box, time, taken, stage="Discovery", opportunity="")
    await driver.settle()
    time.at += DAY

    for _ in range(2):
        deal(box, time, taken, made, state="lost", reason=reason)
        await driver.settle()
        time.at += MINUTE

    assert (newest(box, taken).stage, newest(box, taken).track) == ("nurturing", track)
    assert wait_of(box, taken).due_at - time.at + 2 * MINUTE == days * DAY
    assert kinds(box, taken).count("opportunity-lost") == 1


async def test_a_deal_made_and_lost_before_it_was_read_is_an_opportunity_first(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lost_to_nurture)
    taken = capture(box)
    await driver.settle()
    time.at += MINUTE

    deal(box, time, taken, state="lost", reason="Competitor won")
    await driver.settle()

    assert newest(box, taken).stage == "nurturing"
    assert [(kind, state) for kind, state in answers_of(box, taken)] == [("accepted", "counted"), ("opportunity", "counted")]
    assert [one for one in kinds(box, taken) if one != "opportunity-changed"] == ["opportunity-opened", "opportunity-lost", "opportunity"]


async def test_a_loss_stays_an_opportunity_where_nothing_is_agreed(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    deal(box, time, taken, state="lost", reason="Bad luck")

    await driver.settle()

    assert (newest(box, taken).stage, kept(box)[0].state, wait_if_any(box, taken)) == ("opportunity", "lost", None)


async def test_the_opportunity_that_baton_created_at_acceptance_is_no_answer_until_it_is_won(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lost_to_nurture)
    taken = await until_accepted(driver, box)
    [row] = kept(box)
    assert row.by_baton
    time.at += MINUTE

    deal(box, time, taken, row.crm_id, stage="Discovery", amount="900")
    await driver.settle()
    assert newest(box, taken).stage == "accepted"

    time.at += MINUTE
    deal(box, time, taken, row.crm_id, state="won")
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
    assert [(one.state, one.amount) for one in kept(box)] == [("won", 90_000)]


async def test_losing_the_opportunity_of_an_accepted_lead_returns_it_with_the_reason(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lost_to_nurture)
    taken = await until_accepted(driver, box)
    time.at += MINUTE

    deal(box, time, taken, kept(box)[0].crm_id, state="lost", reason="Competitor won")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("nurturing", "uses-competitor")
    assert answers_of(box, taken)[-1] == ("returned", "counted")


async def test_an_acceptance_taken_back_creates_none_and_the_next_one_creates_one(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, lost_to_nurture)
    box.settings.undo_minutes = 5
    taken = capture(box)
    await driver.settle()
    reply = answer_by_link(box, taken, "accepted")
    await driver.settle()
    assert local_crm(box).opportunities_of(taken.lead_id) == []

    link = OpenedLink(box, token_of(box, taken))
    box.write_now(lambda session, now: answering.undo(session, link, the(reply.winner).answer_id, now=now, device=""))
    await driver.run(until=time.at + 10 * MINUTE)
    assert local_crm(box).opportunities_of(taken.lead_id) == []

    answer_by_link(box, taken, "accepted")
    await driver.run(until=time.at + 6 * MINUTE)

    assert local_crm(box).opportunities_of(taken.lead_id) == [one.crm_id for one in kept(box)]
    assert len(kept(box)) == 1


@pytest.mark.parametrize("number", [0, 4711])
async def test_a_deal_without_a_lead_is_kept_and_marked(driver: Driver, box: Toolbox, time: SteppedTime, number: int) -> None:
    local_crm(box).person_sets_opportunity(number, by="ana", at=time.at, amount="7,5", state="won")

    await driver.settle()

    [row] = kept(box)
    assert (row.lead_id, row.handoff_id, row.amount, row.state) == (None, None, None, "won")
    assert row.faults == {"no-lead": "", "amount-no-number": "7,5"}


async def test_a_deal_from_before_the_assignment_is_no_answer(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)
    await driver.settle()
    local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=time.at - DAY, stage="Old")

    await driver.settle()

    assert (newest(box, taken).stage, answers_of(box, taken)) == ("assigned", [])
    assert len(kept(box)) == 1


async def test_an_open_opportunity_without_news_is_stalled_once_until_the_crm_speaks_of_it(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    agree_on(box, lambda tree: tree["crm"].update(stalled={"after": "20 days"}))
    taken = await until_working(driver, box)
    made, began = deal(box, time, taken, stage="Discovery", amount="100"), time.at
    await driver.settle()

    def stalled() -> list[object]:
        return [row.stalled_at for row in kept(box)]

    time.at = began + 20 * DAY - MINUTE
    await driver.settle()
    before = stalled()
    time.at += 2 * DAY
    await driver.settle()
    local_crm(box).person_sets_opportunity(taken.lead_id, by="ana", at=began - MINUTE, opportunity=made, amount="90")
    await driver.settle()
    first = stalled()
    deal(box, time, taken, made, stage="Proposal")
    await driver.settle()
    ended = stalled()
    again = time.at + 20 * DAY
    time.at += 50 * DAY
    await driver.settle()

    assert (before, first, ended, stalled()) == ([None], [began + 20 * DAY], [None], [again])
    assert kinds(box, taken).count("opportunity-stalled") == 2
    deal(box, time, taken, made, state="lost")
    await driver.settle()
    assert stalled() == [None]


async def test_a_conversion_with_an_opportunity_is_the_answer(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)

    local_crm(box).person_converts(taken.lead_id, by="ana", at=time.at, opportunity="77")
    await driver.settle()

    assert newest(box, taken).stage == "opportunity"
    assert [one.crm_id for one in kept(box)] == ["77"]
    assert "crm-converted" in [event.kind for event in events_of(box, taken)]


async def test_a_merge_in_the_crm_follows_the_surviving_lead(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    first, second = capture(box, source_id="one", email="one@one.example"), capture(box, source_id="two", email="two@two.example")
    await driver.settle()

    local_crm(box).person_merges(first.lead_id, by="maria", at=time.at, into=second.lead_id)
    await driver.settle()
    local_crm(box).person_changes(first.lead_id, by=newest(box, second).rep, at=time.at, values={"status": "Working"})
    await driver.settle()

    assert newest(box, first).stage == "merged"
    assert newest(box, second).stage == "accepted"


@pytest.mark.parametrize(("into", "kind"), [(None, "crm-merged"), (4711, "crm-merged")])
async def test_a_merge_into_an_unknown_record_and_a_deletion_are_shown_and_told_once(
    driver: Driver, box: Toolbox, time: SteppedTime, into: int | None, kind: str
) -> None:
    taken = await until_accepted(driver, box)
    crm = local_crm(box)

    for _ in range(2):
        crm.person_merges(taken.lead_id, by="maria", at=time.at, into=into)
        crm.person_deletes(taken.lead_id, by="maria", at=time.at)
        time.at += MINUTE
    await driver.settle()

    told = [event for event in events_of(box, taken) if event.kind == "delivered" and event.data["message"] == "told"]
    assert len(told) == 2
    assert newest(box, taken).stage == "accepted"
    assert {kind, "crm-gone"} <= {event.kind for event in events_of(box, taken)}


async def test_a_rep_who_clicks_and_one_in_the_crm_make_one_opportunity(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = await until_working(driver, box)
    answer_by_link(box, taken, "opportunity")
    await driver.settle()
    [row] = kept(box)
    time.at += MINUTE

    deal(box, time, taken, row.crm_id, stage="Discovery", amount="10")
    await driver.settle()

    found = box.read_now(lambda session, now: opportunities.of_lead(session, taken.lead_id))
    assert [(one.crm_id, one.stage, one.amount, one.by_baton) for one in found] == [(row.crm_id, "Discovery", 1000, True)]
