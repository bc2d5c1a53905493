"""A lead that a rep brings in: the same rules or none but the screen, theirs at once, and on the clocks that were agreed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from flows.attempt import attempt
from flows.resting import Rest
from notifications.links import Tenure
from storage import figures, handoffs
from storage.crm.port import Account
from storage.tables import Answer, Handoff
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, NOT_YET, agree_on, deliveries_of, does, letters, tenures, touches_of, wait_of
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture, events_of, kept_by, local_crm, newest, token_of

DAY = timedelta(days=1)
BY_CLEO = {"sales_sourced_by": "cleo"}


def sales_sourced(**rules: Any) -> Callable[[dict[str, Any]], object]:
    return lambda tree: tree["qualification"].update(sales_sourced=rules)


def kinds(box: Toolbox, taken: Taken) -> list[str]:
    return [event.kind for event in events_of(box, taken)]


async def test_a_qualified_one_is_with_its_rep_at_once_without_proof_and_acceptance(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    """Also when every channel is broken, and when it would have been somebody else's turn."""
    for name in ("email", "chat", "manager-email"):
        kept_by(box, name).broken = True
    taken = capture(box, **BY_CLEO)

    await driver.settle()

    handoff, wait = newest(box, taken), wait_of(box, taken)
    assert (handoff.stage, handoff.rep, handoff.owner, handoff.brought_by) == ("accepted", "cleo", "cleo", "cleo")
    assert (wait.kind, wait.holder) == ("first_attempt", "cleo")
    [tenure] = tenures(box, taken)
    assert (tenure.cause, tenure.proven_at) == ("brought in by them", time.at)
    assert not {"assigned", "notified", "accepted"} & set(kinds(box, taken))


async def test_it_is_screened_scored_and_documented_as_any_other(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_CLEO)

    await driver.settle()

    assert [kind for kind in kinds(box, taken) if kind in ("screened", "qualified", "documented", "taken")] == [
        "screened", "qualified", "documented", "taken",
    ]  # fmt: skip
    assert newest(box, taken).score > 0


async def test_its_rep_is_told_with_a_link_and_owns_it_in_the_crm(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_CLEO)

    await driver.settle()

    [letter] = [one for one in kept_by(box, "email").letters if one.message == "taken"]
    assert letter.to.id == "cleo"
    told, tenure = box.links.read(letter.link.rpartition("/")[2]), box.links.read(token_of(box, taken))
    assert isinstance(told, Tenure)
    assert isinstance(tenure, Tenure)
    assert told.assignment_id == tenure.assignment_id
    assert local_crm(box).fields_of(taken.lead_id) == {"owner": "cleo", "status": "Working"}
    assert deliveries_of(box, taken) == {("taken", "crm"): "confirmed", ("taken", "email"): "confirmed", ("status", "crm"): "confirmed"}


async def test_its_first_attempt_is_due_as_from_an_assignment_and_leads_to_the_outcome(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    start = time.at
    taken = capture(box, **BY_CLEO)
    await driver.settle()
    assert wait_of(box, taken).due_at == start + timedelta(hours=2)

    for choice in ("attempted", "opportunity"):
        time.at += timedelta(minutes=10)
        answer_by_link(box, taken, choice)
        await driver.settle()

    assert newest(box, taken).stage == "opportunity"


async def test_a_clock_that_is_missed_climbs_its_ladder_to_a_colleague_on_all_clocks(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_CLEO)
    await driver.settle()
    await driver.run(until=wait_of(box, taken).due_at)
    await driver.run(until=wait_of(box, taken).due_at)

    assert [one.rep for one in tenures(box, taken)] == ["cleo", "ana"]
    assert wait_of(box, taken).kind == "acceptance"


async def test_without_a_clock_for_the_first_attempt_it_is_at_work_at_once(driver: Driver, box: Toolbox) -> None:
    agree_on(box, sales_sourced(clocks=["outcome"]))
    taken = capture(box, **BY_CLEO)

    await driver.settle()

    assert (newest(box, taken).stage, wait_of(box, taken).kind) == ("working", "outcome")
    assert "taken-at-work" in kinds(box, taken)


@pytest.mark.parametrize("clocks", [["first_attempt"], []], ids=["only the first attempt", "none"])
async def test_without_a_clock_for_the_outcome_nothing_is_due_but_it_can_be_said(
    driver: Driver, box: Toolbox, time: SteppedTime, clocks: list[str]
) -> None:
    agree_on(box, sales_sourced(clocks=clocks))
    taken = capture(box, **BY_CLEO)
    await driver.settle()
    if clocks:
        answer_by_link(box, taken, "connected")
        await driver.settle()

    await driver.run(until=time.at + 300 * DAY)

    visit = box.read_now(lambda session, now: answering.visit(session, OpenedLink(box, token_of(box, taken)), now=now))
    assert (newest(box, taken).stage, visit.live, visit.due_at) == ("working", True, None)
    assert (await rest_of(newest(box, taken))).message == "With Cleo Martin, on no clock."
    assert "missed" not in kinds(box, taken)
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert (found.unaccounted, "outcome" in found.sla) == (0, False)


async def rest_of(handoff: Handoff) -> Rest:
    """Where an attempt comes to rest that has nothing to do."""
    async with attempt(handoff.id) as lead:
        return await lead.go_on()


async def test_a_lead_on_no_clock_is_asked_about_when_its_data_would_have_to_go(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Nobody missed anything, but nothing lapses in silence."""
    agree_on(box, lambda tree: (sales_sourced(clocks=[])(tree), tree.update(retention={"personal": "90 days"})))
    taken = capture(box, **BY_CLEO)

    await driver.run(until=time.at + 91 * DAY)

    assert (wait_of(box, taken).kind, wait_of(box, taken).holder) == ("decision", "maria")
    assert "missed" not in kinds(box, taken)


async def test_one_that_is_not_ready_stays_with_marketing_and_its_rep_is_told_why(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **NOT_YET, **BY_CLEO)

    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).owner) == ("nurturing", "marketing")
    [letter] = [one for one in kept_by(box, "email").letters if one.message == "told"]
    assert letter.to.id == "cleo"
    assert "engagement 10 is below 15. Marketing keeps it." in letter.text


async def test_one_that_is_sorted_out_is_told_of(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", status="customer", owner="ben")])
    taken = capture(box, company="Harbour", **BY_CLEO)

    await driver.settle()

    assert newest(box, taken).stage == "attached"
    assert letters(box, "told") == ["cleo"]


async def test_where_the_rules_are_not_the_same_the_screen_alone_is_between_it_and_its_rep(driver: Driver, box: Toolbox) -> None:
    agree_on(box, sales_sourced(same_rules=False))
    taken = capture(box, **NOT_YET, campaign="", **BY_CLEO)
    out = capture(box, email="lee@mailinator.com", **BY_CLEO)

    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("accepted", "cleo")
    assert not {"qualified", "documented"} & set(kinds(box, taken))
    assert newest(box, out).stage == "disqualified"
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    assert found.screened_out == 1


async def test_rules_may_ask_whether_sales_brought_it_in(driver: Driver, box: Toolbox) -> None:
    agree_on(box, lambda tree: tree["screen"].insert(0, {"when": {"sales_sourced": True}, "then": "disqualify", "as": "not-so"}))
    taken, other = capture(box, **BY_CLEO), capture(box)

    await driver.settle()

    assert (newest(box, taken).reason, newest(box, other).stage) == ("not-so", "assigned")


async def test_the_owner_of_the_account_goes_before_who_brought_it_in(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])
    taken = capture(box, company="Harbour", **BY_CLEO)

    await driver.settle()

    assert (newest(box, taken).rep, wait_of(box, taken).kind) == ("ben", "acceptance")


async def test_a_lead_in_nurture_that_a_rep_brings_in_and_that_is_ready_now_is_theirs(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, **NOT_YET)
    await driver.settle()
    time.at += DAY

    does(box, taken, "webinar_attended", **BY_CLEO)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("accepted", "cleo")


async def test_a_lead_in_nurture_that_a_rep_brings_in_too_early_stays_there_and_the_rep_is_told_once(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, **{**NOT_YET, "activity": "page_viewed"})
    await driver.settle()
    time.at += DAY

    does(box, taken, "page_viewed", path="/", **BY_CLEO)
    await driver.run(until=time.at + DAY)

    assert newest(box, taken).stage == "nurturing"
    assert letters(box, "told") == ["cleo"]


async def test_where_the_rules_are_not_the_same_a_rep_gets_a_nurtured_lead_back(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    agree_on(box, sales_sourced(same_rules=False))
    taken = capture(box, **{**NOT_YET, "activity": "page_viewed"})
    await driver.settle()
    time.at += DAY

    does(box, taken, "page_viewed", path="/", **BY_CLEO)
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("accepted", "cleo")


async def test_a_lead_that_waits_for_its_note_becomes_the_rep_s_who_brings_it_in(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, campaign="", **BY_POINTS)
    await driver.settle()
    does(box, taken, "form_submitted", campaign="spring", **BY_CLEO)
    await driver.settle()

    token = box.links.for_duty(wait_of(box, taken).id, "mina").rpartition("/")[2]
    box.write_now(
        lambda session, now: answering.answer(
            session, OpenedLink(box, token), answering.SentForm("completed", {"campaign": "spring"}), now=now
        )
    )
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).rep) == ("accepted", "cleo")


async def test_what_it_did_before_does_not_make_it_a_lead_of_sales_when_it_comes_back_by_itself(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box, **BY_CLEO)
    await driver.settle()
    answer_by_link(box, taken, "returned", reason="not-now")
    await driver.settle()
    time.at += DAY

    does(box, taken, "quote_requested")
    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.brought_by, handoff.stage) == ("", "assigned")


async def test_nobody_is_said_to_have_accepted_it(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_CLEO)
    await driver.settle()

    assert box.read_now(lambda session, now: list(session.exec(select(Answer)))) == []
    answer_by_link(box, taken, "attempted", channel="phone")
    await driver.settle()
    assert touches_of(box, taken) == ["attempted"]
    assert box.read_now(lambda session, now: handoffs.get(session, newest(box, taken).id).stage) == "working"
