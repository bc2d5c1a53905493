"""HubSpot's lists as nurture tracks, over the stand-in: who is on which list, and what only a person can mend."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agreements.errors import DeliveryError
from storage.crm.hubspot_api import HubSpotApi
from storage.crm.hubspot_lists import HubSpotLists
from tasks.automation.hubspot_lists import HubSpotListAutomation
from tasks.automation.port import Ask, Told
from tasks.wiring.automation import wire_automation
from tasks.wiring.settings import Settings
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.stand_in import StandIn

KIM = {"email": "kim@nordlicht.example", "first_name": "Kim", "company": "Nordlicht"}


@pytest.fixture
def world(hubspot: StandIn) -> Iterator[HubSpotWorld]:
    made = HubSpotWorld(hubspot)
    hubspot.do("members", number="412")
    yield made
    assert made.problems() == []


@pytest.fixture
def automation(world: HubSpotWorld) -> HubSpotListAutomation:
    return HubSpotListAutomation(HubSpotLists(HubSpotApi(world.stand_in.url, token=lambda: world.token, pause=world._pause)))


def asked(do: Told, *, lead: int = 7, turn: int = 1, place: str = "412", **person: str) -> Ask:
    return Ask("hubspot-list", do, f"enrolment:{lead}:{turn}", "not-now", lead, (person or KIM) if do == "enrol" else {}, place)


def members(world: HubSpotWorld) -> list[str]:
    found: list[str] = world.stand_in.do("members", number="412")
    return found


async def test_a_known_contact_is_put_on_the_list_once_and_taken_off(world: HubSpotWorld, automation: HubSpotListAutomation) -> None:
    await world.crm.assign(key="k", lead_number="7", owner="ana", facts=KIM)
    contact = world.contact(7)["id"]

    heard = [await automation.tell(asked("enrol")) for _ in range(2)]
    on = members(world)
    await automation.tell(asked("leave", turn=2))
    again = await automation.tell(asked("leave", turn=2))

    assert {one.confirmed for one in heard} == {True}
    assert on == [contact]
    assert (members(world), again.confirmed) == ([], True)


async def test_somebody_whom_hubspot_knows_by_the_address_is_adopted(world: HubSpotWorld, automation: HubSpotListAutomation) -> None:
    world.existing(KIM["email"])
    await automation.tell(asked("enrol"))

    contacts: list[dict[str, Any]] = world.stand_in.do("records", kind="contacts")
    assert [one["baton_lead"] for one in contacts] == ["7"]
    assert members(world) == [contacts[0]["id"]]


async def test_a_lead_that_no_rep_ever_had_gets_a_contact(world: HubSpotWorld, automation: HubSpotListAutomation) -> None:
    await automation.tell(asked("enrol"))
    await automation.tell(asked("enrol"))

    assert members(world) == [world.contact(7)["id"]]
    assert len(world.stand_in.do("records", kind="contacts")) == 1


async def test_whoever_is_not_there_any_more_needs_not_be_taken_off(world: HubSpotWorld, automation: HubSpotListAutomation) -> None:
    assert (await automation.tell(asked("leave", lead=99))).confirmed


@pytest.mark.parametrize(("place", "told"), [("", "names no list"), ("413", "413"), ("4 12", "digits"), ("412/../9", "digits")])
async def test_a_list_that_is_not_there_is_for_a_person(
    world: HubSpotWorld, automation: HubSpotListAutomation, place: str, told: str
) -> None:
    with pytest.raises(DeliveryError, match=told) as error:
        await automation.tell(asked("enrol", place=place))

    assert error.value.permanent
    assert KIM["email"] not in str(error.value)


@pytest.mark.parametrize("fault", ["429", "503-after"])
async def test_a_passing_fault_is_tried_again(world: HubSpotWorld, automation: HubSpotListAutomation, fault: str) -> None:
    world.stand_in.do("faults", next=[{"match": "memberships/add", "kind": fault}])
    await automation.tell(asked("enrol"))

    assert len(members(world)) == 1


@pytest.mark.parametrize(("url", "there"), [("hubspot:", True), ("local:", False), ("salesforce://acme.my.salesforce.com", False)])
def test_it_is_there_where_hubspot_is_the_crm(tmp_path: Any, url: str, there: bool) -> None:
    settings = Settings(home=tmp_path, crm_url=url, crm_token="secret-token")

    assert (wire_automation(settings, "hubspot-list") is not None) is there
    assert wire_automation(settings, "webhook") is None
