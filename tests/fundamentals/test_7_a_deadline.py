"""A deadline that passes climbs the ladder that was agreed: remind, tell the manager, give the lead to somebody else."""

from __future__ import annotations

from datetime import timedelta

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.stage import capture, events_of, newest


async def test_silence_climbs_the_ladder(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    lead = capture(box)
    await driver.settle()
    assert newest(box, lead).rep == "ana"

    await driver.run(until=time.at + timedelta(minutes=31))

    climbed = [event.data for event in events_of(box, lead) if event.kind in ("nudged", "escalated")]
    assert [step.get("action") or step["do"] for step in climbed] == ["remind", "tell-manager", "reassign"]
    assert newest(box, lead).rep == "ben"
