"""A year of a company. No lead waits for somebody who will not come, and everybody gets a fair part."""

from __future__ import annotations

import random

import pytest

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.deal import agree_on
from tests.year.audit import audit
from tests.year.company import Company, company
from tests.year.life import Life, Watched, plan_leads


async def lived(box: Toolbox, time: SteppedTime, *, days: int, reps: int, per_day: int, list_size: int) -> tuple[Company, Life]:
    """Play that many days, and return the company and what happened."""
    house, dice = company(MONDAY, days=days, reps=reps, seed=days), random.Random(reps)
    agree_on(box, house.agreed)
    driver = Watched(box, time, house, dice)
    for at in house.changes():
        driver.plan(at, lambda: load(box, house))
    plan_leads(driver, per_day=per_day, lists=2, list_size=list_size)
    await driver.run(until=house.end, revisits=True)
    return house, driver.life


def load(box: Toolbox, house: Company) -> None:
    """Load the roster of this instant."""
    from storage import roster

    box.write_now(lambda session, now: roster.load(session, house.roster(now), now=now))


@pytest.mark.long
async def test_some_weeks(box: Toolbox, time: SteppedTime) -> None:
    house, life = await lived(box, time, days=28, reps=14, per_day=6, list_size=40)

    assert audit(house, life, box) == []
    assert life.leads > 200
