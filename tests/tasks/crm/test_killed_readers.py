"""Processes that read Salesforce are killed all the time, side by side with others: each change is in Baton's database and trail once."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from sqlmodel import col, select

from notifications.channels.crm import CrmChannel
from storage.tables import CrmChange, Event, Touch
from tasks.background.read_crm import read_crm
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.contracts.crm_storm import Storm
from tests.contracts.salesforce_world import SalesforceWorld
from tests.crm.reading_process import Readers
from tests.crm.salesforce_stand_in import StandIn
from tests.deal import until_working
from tests.driver import Driver

night = pytest.mark.skipif(not os.environ.get("BATON_STORM"), reason="minutes: make nightly does it")


@pytest.mark.long
@pytest.mark.timeout(1_500)
@pytest.mark.parametrize(("changes", "most"), [(900, 40), pytest.param(10_000, 400, marks=night)])
async def test_every_change_is_applied_once_though_its_readers_are_killed(
    driver: Driver, box: Toolbox, time: SteppedTime, salesforce: StandIn, database_url: str, changes: int, most: int
) -> None:
    world, dice = SalesforceWorld(salesforce), random.Random(4)
    box.crm, box.channels = world.crm, {**box.channels, "crm": CrmChannel(world.crm)}
    leads = [(await until_working(driver, box, source_id=f"s{one}", email=f"kim{one}@firm{one}.example")).lead_id for one in range(20)]
    storm = Storm(world, seed=4, leads=len(leads), kinds=("fields", "touch"))
    assert leads == list(range(1, len(leads) + 1))
    world.later()
    await read_crm(box)
    tried, killed, done, writes = touches(box), 0, 0, salesforce.do("log")
    world.storm(rate=0.02, seed=4)

    with Readers(database_url, box.settings.home, salesforce.url) as readers:
        while done < changes:
            handful = min(dice.randint(20, most), changes - done)
            world.act(storm.deeds(handful))
            done += handful
            killed += readers.read(at=time.at + timedelta(days=1), lives=dice.randint(1, handful // 2))
        world.calm()
        world.later()
        for _ in range(3):
            readers.read(at=time.at + timedelta(days=1), lives=10**9)

    found = box.read_now(lambda session, now: list(session.exec(select(CrmChange))))
    expected = Counter((kind, int(lead), by) for kind, lead, by, _ in storm.expected.elements())
    assert killed > 20
    assert Counter((one.kind, one.lead_id, one.by) for one in found) == expected
    assert all(one.taken_at for one in found)
    logged = sum(count for (kind, _, _), count in expected.items() if kind == "touch")
    assert touches(box) - tried == logged == touched(box)
    assert [one for one in salesforce.do("log")[len(writes) :] if not one.startswith("GET")] == [], "a reader wrote"


def touches(box: Toolbox) -> int:
    return len(box.read_now(lambda session, now: session.exec(select(Touch.id)).all()))


def touched(box: Toolbox) -> int:
    """How many lines of the trail say that somebody was touched, as the CRM tells it."""
    rows = box.read_now(lambda session, now: session.exec(select(Event.data).where(col(Event.kind) == "touched")).all())
    return sum(row["via"] == "crm" for row in rows)
