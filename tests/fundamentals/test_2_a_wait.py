"""A wait is what one person owes by a due time. It is a row: no process runs while people think."""

from __future__ import annotations

from datetime import timedelta

from tests.conftest import MONDAY
from tests.stage import capture, newest, open_wait


async def test_the_rep_owes_an_answer_within_the_agreed_time(driver, box):
    lead = capture(box)

    await driver.settle()

    wait = open_wait(box, lead)
    assert wait.kind == "acceptance"
    assert wait.holder == newest(box, lead).rep
    assert wait.due_at == MONDAY + timedelta(minutes=30)
    assert driver.runs.parked  # the run rests, and its process is free for other leads
