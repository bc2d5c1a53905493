"""The head of the trail goes out once a day to the address that was agreed, and can be proven with afterwards."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlmodel import select

from app.clock import Clock
from storage import trail
from storage.tables import Delivery
from tasks.background.personal_outbox import send_personal_messages
from tasks.trail.mail import queue_head
from tasks.trail.sealing import seal_trail
from tasks.wiring.settings import Settings
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.present import the
from tests.stage import capture, kept_by

TO = "audit@firm.example"


async def asked(box: Toolbox, to: str = TO) -> bool:
    return box.write_now(lambda session, now: queue_head(session, to=to, now=now))


async def test_the_head_is_mailed_once_a_day(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    capture(box)
    await driver.settle()
    await seal_trail(box)
    head = the(box.read_now(lambda session, now: trail.newest_seal(session)))
    kept_by(box, "email").letters.clear()

    assert [await asked(box), await asked(box)] == [True, False]
    await send_personal_messages(box)
    assert await asked(box) is False
    time.at += timedelta(days=1)
    assert await asked(box) is True
    await send_personal_messages(box)

    letters = kept_by(box, "email").letters
    assert [letter.to.email for letter in letters] == [TO, TO]
    assert [letter.key for letter in letters] == ["trail-head:2027-02-01", "trail-head:2027-02-02"]
    for part in (letters[0].text, letters[0].html, letters[0].chat):
        assert head.digest in part
    assert letters[0].subject == f"Head of the trail: {head.digest[:16]}, {head.total} events"
    assert f"baton verify --head {head.digest[:16]}" in letters[0].text
    assert f"{head.total} events are sealed up to here" in letters[0].text


async def test_the_mail_says_the_head_as_of_when_it_was_asked_for(driver: Driver, box: Toolbox) -> None:
    capture(box)
    await driver.settle()
    await seal_trail(box)
    head = the(box.read_now(lambda session, now: trail.newest_seal(session)))
    await asked(box)
    capture(box)
    await driver.settle()
    await seal_trail(box)

    await send_personal_messages(box)

    assert head.digest in next(letter.text for letter in kept_by(box, "email").letters if letter.message == "trail-head")


async def test_nothing_is_mailed_before_anything_was_sealed(box: Toolbox) -> None:
    assert await asked(box) is False


@pytest.mark.parametrize("to", ["", TO])
async def test_the_clock_mails_it_where_an_address_is_set(driver: Driver, box: Toolbox, to: str) -> None:
    box.settings.trail_mail_to = to
    capture(box)
    await driver.settle()
    await seal_trail(box)

    await Clock(box, driver.runs).tick()

    queued = box.read_now(lambda session, now: session.exec(select(Delivery.person).where(Delivery.message == "trail-head")).all())
    assert queued == ([TO] if to else [])


@pytest.mark.parametrize("address", ["nobody", "a b@firm.example", "one@firm.example, two@firm.example", "@firm.example"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(trail_mail_to=address)
