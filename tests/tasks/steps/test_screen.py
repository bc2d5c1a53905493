"""What the screen does with a lead beside sorting it out: it tells whom the rule names, and routes into the tier it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from storage.crm.port import Account
from tasks.wiring.toolbox import Toolbox
from tests.deal import BY_POINTS, agree_on, deliveries_of, letters, wait_of
from tests.driver import Driver
from tests.present import the
from tests.stage import capture, events_of, kept_by, local_crm, newest

HARBOUR = Account("A1", "Harbour", status="customer", owner="ben", open_opportunity=True, opportunity_owner="cleo")


def first_rule(box: Toolbox, **rule: Any) -> None:
    """Puts this screen rule before the others, in place of one that asks the same."""
    agree_on(box, lambda tree: tree.update(screen=[rule, *(one for one in tree["screen"] if one["when"] != rule["when"])]))


def tier_for_customers(tree: dict[str, Any]) -> None:
    tree["tiers"].insert(0, {"name": "customer", "when": {"account.status": "nobody"}, "channels": ["email", "crm"]})
    others = [one for one in tree["screen"] if one["when"] != {"account.status": "customer"}]
    routes = {"when": {"account.status": "customer"}, "then": "route", "to": "account-owner", "tier": "customer"}
    tree["screen"] = [routes, *others]


@pytest.mark.parametrize(
    ("whom", "person"),
    [("opportunity-owner", "cleo"), ("account-owner", "ben"), ("marketing", "mina")],
    ids=["deal", "account", "marketing"],
)
async def test_whoever_the_rule_names_is_told(driver: Driver, box: Toolbox, whom: str, person: str) -> None:
    local_crm(box).add_accounts([HARBOUR])
    first_rule(box, when={"account.open_opportunity": True}, then="attach", tell=whom)
    taken = capture(box, company="Harbour")

    await driver.settle()

    assert newest(box, taken).stage == "attached"
    assert letters(box, "told") == [person]


async def test_an_owner_who_is_told_gets_a_note_in_the_crm_as_well(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([HARBOUR])
    first_rule(box, when={"account.open_opportunity": True}, then="attach", tell="opportunity-owner")
    taken = capture(box, company="Harbour")

    await driver.settle()

    assert deliveries_of(box, taken) == {("told", "crm"): "confirmed", ("told", "email"): "confirmed"}


async def test_without_a_word_on_telling_the_account_owner_gets_a_note_as_before(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([HARBOUR])
    taken = capture(box, company="Harbour")

    await driver.settle()

    assert deliveries_of(box, taken) == {("attached", "crm"): "confirmed"}


async def test_marketing_being_told_does_not_keep_it_from_the_owner(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([HARBOUR])
    first_rule(box, when={"account.open_opportunity": True}, then="attach", tell="marketing")
    taken = capture(box, company="Harbour")

    await driver.settle()

    assert set(deliveries_of(box, taken)) == {("told", "email"), ("attached", "crm")}


async def test_marketing_is_told_of_an_owner_whom_the_roster_does_not_have(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="zoe", open_opportunity=True)])
    first_rule(box, when={"account.open_opportunity": True}, then="attach", tell="account-owner")
    capture(box, company="Harbour")

    await driver.settle()

    [letter] = [one for one in kept_by(box, "email").letters if one.message == "told"]
    assert letter.to.id == "mina"
    assert "zoe" in letter.text


async def test_marketing_is_told_of_what_was_disqualified_and_why(driver: Driver, box: Toolbox) -> None:
    first_rule(box, when={"country": "GB"}, then="disqualify", tell="marketing", why="we do not sell there any more")
    capture(box, company="Harbour")

    await driver.settle()

    [letter] = [one for one in kept_by(box, "email").letters if one.message == "told"]
    assert "we do not sell there any more" in letter.text


async def test_a_routed_lead_goes_to_the_account_owner_in_the_tier_of_the_rule(driver: Driver, box: Toolbox) -> None:
    """Also when it asked by itself, which would make it hot."""
    local_crm(box).add_accounts([HARBOUR])
    agree_on(box, tier_for_customers)
    taken = capture(box, company="Harbour")

    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.rep, handoff.tier, handoff.stage) == ("ben", "customer", "assigned")
    [routed] = [event for event in events_of(box, taken) if event.kind == "routed"]
    assert (routed.data["to"], routed.data["tier"]) == ("ben", "customer")


async def test_the_tier_of_a_routed_lead_outlives_what_it_does_next(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([HARBOUR])

    def change(tree: dict[str, Any]) -> None:
        tier_for_customers(tree)
        tree["note"].update(must_state=["campaign"])

    agree_on(box, change)
    taken = capture(box, company="Harbour", campaign="", **BY_POINTS)
    await driver.settle()
    assert wait_of(box, taken).kind == "note"

    capture(box, source_id=taken.source_id, company="Harbour", conversion_id="more", activity="demo_requested", campaign="")
    await driver.settle()

    assert newest(box, taken).tier == "customer"


async def test_a_routed_lead_without_a_tier_of_the_rule_has_the_one_that_the_tiers_give_it(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", owner="ben")])
    taken = capture(box, company="Harbour")

    await driver.settle()

    handoff = newest(box, taken)
    assert (handoff.rep, handoff.tier, handoff.fast_lane) == ("ben", "hot", True)


async def test_a_rule_that_routes_to_an_owner_whom_the_account_lacks_lets_the_lead_be_qualified(driver: Driver, box: Toolbox) -> None:
    local_crm(box).add_accounts([Account("A1", "Harbour", status="customer")])
    agree_on(box, tier_for_customers)
    taken = capture(box, company="Harbour")

    await driver.settle()

    assert (newest(box, taken).rep, newest(box, taken).tier) == ("ana", "hot")


async def test_what_a_lead_says_of_its_account_is_not_what_the_crm_says(driver: Driver, box: Toolbox) -> None:
    """A field of that name in an old row is never taken for the CRM's word."""
    first_rule(box, when={"account.status": "customer"}, then="disqualify")
    taken = capture(box)

    def pretend(session: Session, now: datetime) -> None:
        from storage.tables import Lead

        lead = the(session.get(Lead, taken.lead_id))
        lead.values = {**lead.values, "account.status": "customer"}
        session.add(lead)

    box.write_now(pretend)
    await driver.settle()

    assert newest(box, taken).stage == "assigned"
