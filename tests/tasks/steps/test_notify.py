"""Telling the rep: enough channels must prove it, a broken one is replaced, and nothing that may have gone out is repeated."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import col, select

from notifications.letter import Letter
from storage.tables import Delivery
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS, deliveries_of, letters, tenures, wait_of
from tests.driver import Driver
from tests.dying import Died, dies_at, leases_end, lives
from tests.stage import answer_by_link, capture, events_of, kept_by, newest


def break_all(box: Toolbox, *, but: tuple[str, ...] = ("crm",)) -> None:
    for name in box.channels:
        if name not in but:
            kept_by(box, name).broken = True


async def test_the_reps_clock_starts_when_enough_channels_have_proven_it(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    taken = capture(box)

    await driver.settle()

    [tenure] = tenures(box, taken)
    assert tenure.proven_at == time.at
    wait = wait_of(box, taken)
    assert (wait.kind, wait.holder, wait.due_at) == ("acceptance", tenure.rep, time.at + timedelta(minutes=30))
    [notified] = [event for event in events_of(box, taken) if event.kind == "notified"]
    assert notified.data["channels"] == ["chat", "crm", "email"]


async def test_a_broken_channel_is_replaced_by_the_fallback(driver: Driver, box: Toolbox) -> None:
    kept_by(box, "email").broken = True
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    assert newest(box, taken).owner == newest(box, taken).rep
    assert deliveries_of(box, taken)[("assigned", "chat")] == "confirmed"
    assert deliveries_of(box, taken)[("assigned", "email")] == "queued"


async def test_the_fallback_is_not_used_where_enough_channels_have_proven_it(driver: Driver, box: Toolbox) -> None:
    taken = capture(box, **BY_POINTS)

    await driver.settle()

    assert set(deliveries_of(box, taken)) == {("assigned", "email"), ("assigned", "crm")}


async def test_a_broken_channel_is_tried_again_and_says_the_same_once(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    kept_by(box, "email").broken = True
    taken = capture(box)
    await driver.settle()
    kept_by(box, "email").broken = False

    await driver.run(until=time.at + timedelta(minutes=2))

    assert letters(box, "assigned") == [newest(box, taken).rep]
    assert deliveries_of(box, taken)[("assigned", "email")] == "confirmed"


async def test_until_it_is_proven_the_lead_is_the_systems_and_looked_at_again_in_a_minute(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    break_all(box)
    taken = capture(box)
    await driver.settle()
    assert (newest(box, taken).stage, newest(box, taken).owner) == ("assigned", "system")
    kept_by(box, "chat").broken = False

    await driver.run(until=time.at + timedelta(minutes=1))

    assert wait_of(box, taken).kind == "acceptance"
    assert tenures(box, taken)[0].proven_at == time.at


@pytest.mark.long
async def test_when_all_channels_are_broken_the_ladder_leads_to_the_default_acceptor(
    driver: Driver, box: Toolbox, time: SteppedTime
) -> None:
    kept_by(box, "email").refuses.add("ana")
    kept_by(box, "chat").refuses.add("ana")
    kept_by(box, "manager-email").refuses.add("maria")
    taken = capture(box)

    await driver.run(until=time.at + timedelta(days=2))

    assert [one.rep for one in tenures(box, taken)][:2] == ["ana", "dora"]
    assert tenures(box, taken)[0].ended_because == "not delivered in time"
    [missed] = [event for event in events_of(box, taken) if event.kind == "missed" and event.data["clock"] == "delivery"]
    assert missed.data["owed_by"] == "system"
    assert letters(box, "ops-told") == ["oscar"]


@pytest.mark.long
async def test_when_nothing_gets_through_to_anybody_the_lead_ends_in_nurture(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    break_all(box)
    taken = capture(box)

    await driver.run(until=time.at + timedelta(days=5))

    assert newest(box, taken).stage == "nurturing"
    assert [one.rep for one in tenures(box, taken)] == ["ana", "dora"]


async def test_a_lead_that_cannot_be_delivered_is_looked_at_ever_more_seldom(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    """Each look is an attempt, and a mail server may be away for a night."""
    break_all(box)
    taken = capture(box)

    await driver.run(until=time.at + timedelta(hours=23))

    assert wait_of(box, taken).kind == "delivery"
    assert newest(box, taken).epoch < 30


async def test_an_answer_that_comes_before_the_proof_counts(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    break_all(box)
    taken = capture(box)
    await driver.settle()
    time.at += timedelta(seconds=20)

    answer_by_link(box, taken, "accepted")
    await driver.settle()

    assert newest(box, taken).stage == "accepted"
    assert tenures(box, taken)[0].proven_at == time.at
    kinds = [event.kind for event in events_of(box, taken)]
    assert kinds.index("notified") < kinds.index("accepted")


async def test_a_rejection_that_comes_before_the_proof_counts(driver: Driver, box: Toolbox) -> None:
    break_all(box)
    taken = capture(box)
    await driver.settle()

    answer_by_link(box, taken, "rejected", reason="not-icp")
    await driver.settle()

    assert (newest(box, taken).stage, newest(box, taken).reason) == ("disqualified", "not-icp")


async def test_what_a_dead_attempt_was_sending_is_unknown_and_goes_out_once_more_where_the_fallback_is_not_enough(
    driver: Driver, box: Toolbox
) -> None:
    taken = capture(box, **BY_POINTS)
    handoff = newest(box, taken)
    box.fault = dies_at("before telling")
    with pytest.raises(Died):  # the messages are claimed, and nobody will ever know whether they went out
        await driver.carry_out(handoff.id)
    box.fault = lives
    leases_end(box)
    await driver.settle()

    states = {channel: state for (_, channel), state in deliveries_of(box, taken).items()}
    assert states == dict.fromkeys(("email", "crm", "chat", "manager-email"), "confirmed")
    assert letters(box, "assigned") == [newest(box, taken).rep]
    assert wait_of(box, taken).kind == "acceptance"


async def test_the_row_of_a_message_is_there_before_it_is_sent(driver: Driver, box: Toolbox) -> None:
    seen: list[tuple[str, int]] = []
    email = kept_by(box, "email")

    async def look_and_send(letter: Letter) -> str:
        query = select(Delivery).where(Delivery.key == letter.key).order_by(col(Delivery.id))
        seen.append(await box.read(lambda session, now: [(row.state, row.tries) for row in session.exec(query)][0]))
        return email.keep(letter)

    email.instead = look_and_send
    capture(box)
    await driver.settle()

    assert seen == [("sending", 1)]


async def test_a_channel_that_breaks_in_an_unforeseen_way_does_not_stop_the_lead(driver: Driver, box: Toolbox) -> None:
    async def explode(letter: Letter) -> str:
        raise ZeroDivisionError("nobody thought of this")

    kept_by(box, "email").instead = explode
    taken = capture(box)

    await driver.settle()

    assert wait_of(box, taken).kind == "acceptance"
    row = box.read_now(lambda session, now: session.exec(select(Delivery).where(Delivery.channel == "email")).one())
    assert "ZeroDivisionError" in row.error
