"""`baton verify --crm` over the stand-ins: what it lists, how it ends, and what it does when the CRM does not answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from typer.testing import Result

from notifications.channels.crm import CrmChannel
from storage.crm.hubspot import HubSpotCrm
from storage.crm.hubspot_api import HubSpotApi
from tasks.wiring.crm import addresses_of_people, fields_of_agreements
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.app.conftest import Command
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.hubspot_state import START_MS
from tests.crm.salesforce_server import KEY, SECRET
from tests.crm.salesforce_stand_in import serving
from tests.crm.stand_in import StandIn, running
from tests.driver import Driver
from tests.stage import answer_by_link, capture, newest


@pytest.fixture(scope="module")
def hubspot() -> Iterator[StandIn]:
    with running("tests.crm.hubspot_server") as stand_in:
        yield stand_in


@pytest.fixture
def world(hubspot: StandIn, box: Toolbox, time: SteppedTime, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubSpotWorld]:
    """An account whose users are the people of the roster, and an installation that works with it."""
    made = HubSpotWorld(hubspot, lag_ms=0)
    hubspot.do("clock", seconds=time.at.timestamp() - START_MS / 1000)
    for number, address in enumerate(addresses_of_people(box.database).values()):
        hubspot.do("owner", id=str(900 + number), user=900 + number, email=address)
    box.crm = HubSpotCrm(
        HubSpotApi(hubspot.url, token=lambda: made.token, pause=made._pause),
        people=lambda: addresses_of_people(box.database),
        fields=lambda: fields_of_agreements(box.database),
        read_by_people=True,
        settle_seconds=0,
    )
    box.channels = {**box.channels, "crm": CrmChannel(box.crm)}
    monkeypatch.setenv("BATON_CRM_URL", hubspot.url.replace("http:", "hubspot:"))
    monkeypatch.setenv("BATON_CRM_TOKEN", made.token)
    yield made
    assert made.problems() == []


async def verified(baton: Command, *words: str) -> Result:
    return await asyncio.to_thread(baton, "verify", "--crm", *words)


def listed(said: Result) -> list[dict[str, Any]]:
    findings: list[dict[str, Any]] = json.loads(said.stdout)["findings"]
    return findings


async def test_what_differs_from_hubspot_is_listed_with_what_to_do(
    world: HubSpotWorld, driver: Driver, box: Toolbox, baton: Command
) -> None:
    leads = [capture(box, email=f"{name}@{name}.example", source_id=name, conversion_id=name) for name in ("one", "two", "six")]
    await driver.settle()
    answer_by_link(box, leads[0], "accepted")  # "Working" is no lead status of this account
    await driver.settle()
    world.later()
    first = await verified(baton, "--json")
    world.stand_in.do("put", kind="contacts", id=world.contact(2)["id"], values={"hubspot_owner_id": "71"}, user=12)
    world.stand_in.do("delete", kind="contacts", id=world.contact(3)["id"])
    world.many([4711])
    young = await verified(baton, "--json")
    world.later()
    second = await verified(baton)

    assert [(one["kind"], one["lead"]) for one in listed(first)] == [("value", 1)]
    assert ("owner", 2) not in [(one["kind"], one["lead"]) for one in listed(young)], "it may be under way"
    assert (first.exit_code, second.exit_code) == (1, 1)
    lines = second.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [
        f"lead 1, contact {world.contact(1)['id']}",
        f"lead 2, contact {world.contact(2)['id']}",
        "lead 3",
        f"lead 4711, contact {world.contact(4711)['id']}",
    ]
    assert "The newest write failed: HubSpot's contacts lack the value of the property hs_lead_status" in lines[0]
    assert f"Its owner is HubSpot owner 71, and here {newest(box, leads[1]).rep} has the lead." in lines[1]
    assert "The CRM has no record with this number" in lines[2]
    assert "Baton knows no lead with this number." in lines[3]
    assert lines[-1].startswith("4 differences in 3 leads and 0 opportunities.")


@pytest.mark.long
async def test_salesforce_is_compared_too(driver: Driver, box: Toolbox, baton: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as org:
        org.do("reset")
        org.people = dict(addresses_of_people(box.database))
        org.users = {person: org.do("user", name=person.title(), email=email) for person, email in org.people.items()}
        org.at(datetime.fromisoformat("2027-02-01T09:00:00+00:00"))
        box.crm = org.crm(read_by_people=True)
        box.channels = {**box.channels, "crm": CrmChannel(box.crm)}
        monkeypatch.setenv("BATON_CRM_URL", org.url.replace("http:", "salesforce:"))
        monkeypatch.setenv("BATON_CRM_TOKEN", f"{KEY}:{SECRET}")
        leads = [capture(box, email=f"{name}@{name}.example", source_id=name, conversion_id=name) for name in ("one", "two")]
        await driver.settle()
        answer_by_link(box, leads[0], "accepted")
        await driver.settle()
        org.do("move", seconds=3600)
        agreed = await verified(baton, "--json")
        org.do("raw", kind="Lead", id=org.lead(1), values={"Status": "Nurture"})
        org.do("raw", kind="Lead", id=org.lead(2), values={"OwnerId": org.do("user", name="Zoe", email="zoe@other.example")})
        differ = await verified(baton, "--json")

    assert (agreed.exit_code, listed(agreed)) == (0, [])
    assert [(one["kind"], one["lead"]) for one in listed(differ)] == [("value", 1), ("owner", 2)]
    assert "Its owner is Zoe" in listed(differ)[1]["what"]


async def test_a_crm_that_does_not_answer_is_said(world: HubSpotWorld, driver: Driver, box: Toolbox, baton: Command) -> None:
    capture(box)
    await driver.settle()
    world.stand_in.do("token", token="token-1", expired=True)

    said = await verified(baton)

    assert (said.exit_code, said.stdout) == (4, "")
    assert "HubSpot's token has expired" in said.stderr


def test_without_differences_it_says_so(baton: Command) -> None:
    said = baton("verify", "--crm")

    assert (said.exit_code, said.stdout) == (0, "Nothing differs in 0 leads and 0 opportunities.\n")
