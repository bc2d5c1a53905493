"""Post: what belongs to no run is sent by the clock, once, and what may have gone out when its process died is never sent again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from agreements.errors import DeliveryError, DeliveryUnknown
from notifications.letter import Letter, Recipient
from storage import deliveries, proof
from storage.tables import Delivery, DeliveryState, Event
from tasks.background.personal_outbox import GIVEN_UP_AFTER, _Ready, _send, send_personal_messages
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.present import the
from tests.stage import kept_by

HELLO = Letter("one", "test", Recipient("ana", "Ana", "ana@firm.example"), "Hello", "Hello.", "", "Hello.")


def put_in(box: Toolbox, *, key: str = "one", claimed_ago: timedelta | None = None) -> int:
    """A message for the post; claimed_ago: a process took it so long ago, in real time, and has not told how it went."""

    def work(session: Session, now: datetime) -> int:
        deliveries.queue(session, None, deliveries.Message("test"), deliveries.Copy(key, "email", "ana"), now=now)
        row = session.exec(select(Delivery).where(Delivery.key == key)).one()
        if claimed_ago is not None:
            assert deliveries.claim(session, row.id, real=datetime.now(UTC) - claimed_ago)
        return row.id

    return box.write_now(work)


def row(box: Toolbox) -> Delivery:
    return the(box.read_now(lambda session, now: session.exec(select(Delivery).order_by(col(Delivery.id))).first()))


def kinds(box: Toolbox) -> list[str]:
    query = select(Event.kind).where(col(Event.kind).in_(["sent", "delivered", "not-delivered", "delivery-unknown", "bounced"]))
    return box.read_now(lambda session, now: list(session.exec(query)))


async def carry(box: Toolbox, error: Exception | None = None, *, may_bounce: bool = False) -> Delivery:
    """The message on its way over the channel, which takes it or raises this; the row afterwards."""
    channel = kept_by(box, "email")
    channel.may_bounce = may_bounce
    ident = put_in(box, claimed_ago=timedelta(0))
    if error is not None:

        async def fail(letter: Letter) -> str:
            raise error

        channel.instead = fail
    await _send(box, _Ready(ident, "email", HELLO))
    return row(box)


async def test_what_was_being_sent_when_its_process_died_is_unknown_and_never_sent_again(box: Toolbox, time: SteppedTime) -> None:
    put_in(box, claimed_ago=GIVEN_UP_AFTER + timedelta(seconds=1))

    await send_personal_messages(box)
    time.at += timedelta(days=30)
    await send_personal_messages(box)

    assert (row(box).state, row(box).tries) == (DeliveryState.UNKNOWN, 1)
    assert kept_by(box, "email").letters == []
    assert kinds(box) == ["delivery-unknown"]
    assert put_in(box) == row(box).id


async def test_what_another_process_is_just_sending_is_left_alone(box: Toolbox, time: SteppedTime) -> None:
    put_in(box, claimed_ago=timedelta(0))
    time.at += timedelta(days=30)  # the age of a claim is that of processes

    assert await send_personal_messages(box) == 0
    assert row(box).state == DeliveryState.SENDING


async def test_a_process_that_was_given_up_and_tells_later_that_it_was_taken_is_believed(box: Toolbox) -> None:
    ident = put_in(box, claimed_ago=GIVEN_UP_AFTER + timedelta(seconds=1))
    await send_personal_messages(box)

    await _send(box, _Ready(ident, "email", HELLO))

    assert row(box).state == DeliveryState.CONFIRMED


async def test_a_process_that_was_given_up_and_tells_later_of_a_fault_has_nothing_sent_again(box: Toolbox, time: SteppedTime) -> None:
    ident = put_in(box, claimed_ago=GIVEN_UP_AFTER + timedelta(seconds=1))
    await send_personal_messages(box)
    kept_by(box, "email").broken = True

    await _send(box, _Ready(ident, "email", HELLO))

    assert row(box).state == DeliveryState.UNKNOWN


async def test_a_message_that_nobody_can_write_stands_in_its_row_and_stops_no_other(box: Toolbox) -> None:
    put_in(box)
    put_in(box, key="two")

    assert await send_personal_messages(box) == 2
    assert (row(box).state, row(box).permanent) == (DeliveryState.FAILED, True)
    assert "test is no personal message" in row(box).error


async def test_an_e_mail_without_an_agreement_may_come_back_for_the_usual_time(box: Toolbox, time: SteppedTime) -> None:
    sent = await carry(box, may_bounce=True)

    assert (sent.state, sent.confirm_at) == (DeliveryState.SENT, time.at + timedelta(minutes=2))
    assert box.write_now(lambda session, now: proof.settle(session, now)) == 0
    time.at += timedelta(minutes=2)
    assert box.write_now(lambda session, now: proof.settle(session, now)) == 1
    assert row(box).state == DeliveryState.CONFIRMED
    assert kinds(box) == ["sent"]


async def test_what_a_channel_takes_for_good_is_confirmed_at_once(box: Toolbox) -> None:
    assert (await carry(box)).state == DeliveryState.CONFIRMED
    assert kinds(box) == ["delivered"]


@pytest.mark.parametrize(
    ("error", "state", "tries"),
    [
        (DeliveryError("email", "busy"), DeliveryState.QUEUED, 1),
        (DeliveryError("email", "resting", retry_after_seconds=600), DeliveryState.QUEUED, 0),
        (DeliveryError("email", "no such mailbox", permanent=True), DeliveryState.FAILED, 1),
        (DeliveryUnknown("email", "the line broke"), DeliveryState.UNKNOWN, 1),
        (ZeroDivisionError("nobody thought of this"), DeliveryState.QUEUED, 1),
    ],
)
async def test_what_goes_wrong_stands_in_the_row(box: Toolbox, error: Exception, state: DeliveryState, tries: int) -> None:
    failed = await carry(box, error)

    assert (failed.state, failed.tries) == (state, tries)
    assert str(error) in failed.error


async def test_it_is_not_sent_before_the_channel_has_rested(box: Toolbox, time: SteppedTime) -> None:
    rests = await carry(box, DeliveryError("email", "resting", retry_after_seconds=600))

    assert rests.send_at == time.at + timedelta(minutes=10)
