"""A message is a row before it is sent, under a key that goes along. What the channel says when it takes the message is the proof."""

from __future__ import annotations

from tasks.wiring.toolbox import Toolbox
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import capture, deliveries_of, kept_by, newest


async def test_the_rep_is_told_once_on_each_channel_and_each_message_is_proven(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)

    await driver.settle()

    told = {row.channel: row for row in deliveries_of(box, lead) if row.message == "assigned"}
    assert set(told) == {"email", "crm", "chat"}
    [letter] = kept_by(box, "email").letters
    assert letter.key == told["email"].key
    assert told["email"].proof == "kept as 1"


async def test_the_clock_of_the_rep_starts_only_when_enough_channels_have_proof(driver: Driver, box: Toolbox) -> None:
    for channel in ("email", "chat", "manager-email"):
        kept_by(box, channel).broken = True  # only the CRM is left, and two channels were agreed

    lead = capture(box)
    await driver.settle()

    assert wait_of(box, lead).kind == "delivery"
    assert newest(box, lead).owner == "system"
