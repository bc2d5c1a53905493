"""An answer ends a wait. It may come by link, from Prefect's window, from the CRM: the first one counts, the others are kept."""

from __future__ import annotations

from tasks.wiring.toolbox import Toolbox
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import answer_by_link, answers_of, capture, newest


async def test_the_first_answer_counts(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)
    await driver.settle()

    answer_by_link(box, lead, "accepted")
    answer_by_link(box, lead, "rejected", reason="not-now")

    assert answers_of(box, lead) == [("accepted", "counted"), ("rejected", "late")]


async def test_an_answer_leads_to_the_next_wait(driver: Driver, box: Toolbox) -> None:
    lead = capture(box)
    await driver.settle()

    answer_by_link(box, lead, "accepted")
    await driver.settle()

    assert newest(box, lead).stage == "accepted"
    assert wait_of(box, lead).kind == "first_attempt"
