"""A night's leads are not all due in the first minutes of the morning: each rep's follow each other, urgent ones first."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import wait_of
from tests.driver import Driver
from tests.stage import capture, newest

TEN = timedelta(minutes=10)


async def test_the_leads_of_a_night_are_due_one_after_another(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    time.at = datetime(2027, 2, 1, 22, tzinfo=UTC)
    due: dict[str, list[datetime]] = defaultdict(list)

    for number in range(6):
        taken = capture(box, source_id=f"n{number}", email=f"kim@firm-{number}.example", activity="demo_requested")
        await driver.settle()
        due[newest(box, taken).rep].append(wait_of(box, taken).due_at)

    assert sum(map(len, due.values())) == 6
    assert max(map(len, due.values())) - min(map(len, due.values())) <= 1
    for times in due.values():
        assert times[0] > datetime(2027, 2, 2, 9, tzinfo=UTC)
        assert all(later - earlier >= TEN for earlier, later in pairwise(times))


async def test_a_lead_that_comes_while_the_rep_is_at_work_has_its_usual_time(driver: Driver, box: Toolbox, time: SteppedTime) -> None:
    first, second = (capture(box, source_id=f"d{at}", email=f"kim@day-{at}.example", activity="demo_requested") for at in (1, 2))

    await driver.settle()

    assert wait_of(box, first).due_at == wait_of(box, second).due_at
