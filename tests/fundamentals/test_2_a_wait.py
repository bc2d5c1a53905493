"""A wait is what one person owes by a due time. It is a row: no process runs while people think."""

from __future__ import annotations

from datetime import timedelta

from tasks.wiring.toolbox import Toolbox
from tests.conftest import MONDAY
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import capture, newest


async def test_the_rep_owes_an_answer_within_the_agreed_time(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)

    await driver.settle()

    wait = wait_of(box, lead)
    assert wait.kind == "acceptance"
    assert wait.holder == newest(box, lead).rep
    assert wait.due_at == MONDAY + timedelta(minutes=30)
    assert driver.runs.parked  # the run rests, and its process is free for other leads
