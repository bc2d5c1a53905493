"""A rep who works only in Salesforce: the real flow, the real adapter, and the stand-in on the other side."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notifications.channels.crm import CrmChannel
from tasks.wiring.crm import addresses_of_people
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.crm.salesforce_stand_in import StandIn
from tests.driver import Driver
from tests.stage import answers_of, capture, events_of, newest

MINUTE = timedelta(minutes=1)


@pytest.fixture
def org(salesforce: StandIn, box: Toolbox, time: SteppedTime) -> StandIn:
    salesforce.reset(addresses_of_people(box.database))
    salesforce.at(time.at)
    box.crm = salesforce.crm(read_by_people=True)
    box.channels = {**box.channels, "crm": CrmChannel(box.crm)}
    return salesforce


async def test_a_rep_answers_in_salesforce_alone_and_baton_hears_no_echo(
    org: StandIn, driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    taken = capture(box)
    await driver.settle()
    lead = org.lead(taken.lead_id)
    rep = newest(box, taken).rep
    assert org.rows("Lead")[0]["OwnerId"] == org.users[rep]

    time.at += 5 * MINUTE
    org.update("Lead", lead, {"Status": "Working"}, by=rep, at=time.at.isoformat())
    await driver.settle()
    time.at += 5 * MINUTE
    call = {"WhoId": lead, "TaskSubtype": "Call", "Status": "Completed", "CallDisposition": "Connected"}
    org.create("Task", call, by=rep, at=time.at.isoformat())
    await driver.settle()
    time.at += 5 * MINUTE
    org.update("Lead", lead, {"Status": "Opportunity"}, by=rep, at=time.at.isoformat())
    await driver.settle()

    assert answers_of(box, taken) == [("accepted", "counted"), ("connected", "counted"), ("opportunity", "counted")]
    assert "crm-not-understood" not in [event.kind for event in events_of(box, taken)]
