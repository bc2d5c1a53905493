"""A rep who works only in HubSpot: the lead arrives there, and what the rep does there counts."""

from __future__ import annotations

from notifications.channels.crm import CrmChannel
from tasks.background.read_crm import read_crm
from tasks.wiring.crm import addresses_of_people, fields_of_agreements
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.contracts.hubspot_world import HubSpotWorld
from tests.crm.hubspot_state import START_MS
from tests.crm.stand_in import StandIn
from tests.deal import agree_on
from tests.driver import Driver
from tests.stage import capture, events_of, newest


async def test_a_status_in_hubspot_accepts_and_a_logged_call_counts(
    driver: Driver, box: Toolbox, time: SteppedTime, hubspot: StandIn
) -> None:
    agree_on(box, lambda tree: tree.update(crm={"accepted": {"status": "IN_PROGRESS"}, "attempted": {"status": "OPEN"}}))
    world = HubSpotWorld(hubspot, lag_ms=0)
    ana = addresses_of_people(box.database)["ana"]
    hubspot.do("owner", id="90", user=30, email=ana)
    world.people, world.fields = {"ana": ana}, tuple(fields_of_agreements(box.database))
    box.crm = world.crm
    box.channels["crm"] = CrmChannel(world.crm)  # type: ignore[index]
    hubspot.do("clock", seconds=time.at.timestamp() - START_MS / 1000)

    taken = capture(box)
    await driver.settle()
    assert newest(box, taken).stage == "assigned"
    contact = world.contact(taken.lead_id)
    hubspot.do("clock", seconds=60)
    hubspot.do("put", kind="contacts", id=contact["id"], values={"hs_lead_status": "IN_PROGRESS"}, user=30)
    hubspot.do("clock", seconds=60)
    calls = {"hubspot_owner_id": "90"}
    hubspot.do("make", kind="calls", values=calls, user=30, ties=[["contacts", contact["id"]]])
    hubspot.do("clock", seconds=60)
    time.at = time.at.fromtimestamp(hubspot.do("clock", seconds=0)["now"] / 1000, time.at.tzinfo)
    await read_crm(box)
    await driver.settle()

    kinds = [event.kind for event in events_of(box, taken)]
    assert "answered-accepted" in kinds
    assert "answered-attempted" in kinds
    assert newest(box, taken).stage == "working"
    assert world.problems() == []
