"""A message is a row before it is sent, under a key that goes along. What the channel says when it takes the message is the proof."""

from __future__ import annotations

from tests.stage import capture, deliveries_of, newest, open_wait


async def test_the_rep_is_told_once_on_each_channel_and_each_message_is_proven(driver, box):
    lead = capture(box)

    await driver.settle()

    told = {row.channel: row for row in deliveries_of(box, lead) if row.message == "assigned"}
    assert set(told) == {"email", "crm", "chat"}
    [letter] = box.channels["email"].letters
    assert letter.key == told["email"].key
    assert told["email"].proof == "kept as 1"


async def test_the_clock_of_the_rep_starts_only_when_enough_channels_have_proof(driver, box):
    for channel in ("email", "chat", "manager-email"):
        box.channels[channel].broken = True  # only the CRM is left, and two channels were agreed

    lead = capture(box)
    await driver.settle()

    assert open_wait(box, lead).kind == "delivery"
    assert newest(box, lead).owner == "system"
