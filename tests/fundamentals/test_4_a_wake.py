"""A wake says that a handoff has something to do. It is stored in the transaction of its reason, so neither is ever alone."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlmodel import Session

from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox
from tests.driver import Driver
from tests.stage import answer_by_link, answers_of, capture, newest, token_of, wakes_of


async def test_an_answer_leaves_a_wake_and_the_next_attempt_takes_it(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)
    await driver.settle()
    assert wakes_of(box, lead) == []

    answer_by_link(box, lead, "accepted")
    assert wakes_of(box, lead) == ["answer"]

    await driver.settle()
    assert wakes_of(box, lead) == []
    assert newest(box, lead).stage == "accepted"


async def test_a_transaction_that_fails_leaves_neither_answer_nor_wake(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)
    await driver.settle()
    token = token_of(box, lead)

    def answer_and_fail(session: Session, now: datetime) -> None:
        answering.answer(session, OpenedLink(box, token), answering.SentForm("accepted", {}), now=now)
        raise ConnectionError("the machine went away")

    with pytest.raises(ConnectionError):
        box.write_now(answer_and_fail)

    assert answers_of(box, lead) == []
    assert wakes_of(box, lead) == []
