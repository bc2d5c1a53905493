"""A lead is a person at a company. What the lead asks for begins a handoff: one pass through the agreement, to one rep."""

from __future__ import annotations

from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.stage import capture, newest


async def test_a_demo_request_goes_to_a_rep(driver: Driver, box: Toolbox) -> None:
    lead = capture(box, activity="demo_requested")

    await driver.settle()

    handoff = newest(box, lead)
    assert handoff.stage == "assigned"
    assert handoff.rep == "ana"
    assert handoff.agreement == "b2b-saas"


async def test_the_same_request_sent_twice_is_one_handoff(driver: Driver, box: Toolbox) -> None:
    lead = capture(box, source_id="4711", conversion_id="demo-1")
    await driver.settle()

    again = capture(box, source_id="4711", conversion_id="demo-1")

    assert again.lead_id == lead.lead_id
    assert again.kind == "repeated"
