"""An attempt of a run: what it asks from its claim until it is parked, and to tell its story."""

from __future__ import annotations

from datetime import UTC, datetime

from flows.story import story_of
from storage import handoffs, leases
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import BY_POINTS
from tests.driver import Driver
from tests.stage import answer_by_link, capture, newest
from tests.storage.budgets.measuring import assert_at_most, assert_no_scan
from tests.storage.plans import recorded

#: An attempt from the screen until its rep is told, seven steps (three statements ask for colleagues: the
#: lock that PostgreSQL needs, for the choice and for the message); and one that carries out an acceptance, two steps. One statement of
#: each asks which promises were missed, for the tags of the run. Two keep what the CRM was told, by which its echo is known.
ATTEMPT_TO_REP, ATTEMPT_AT_ANSWER = 73, 44
#: Claiming what is due, however much that is: a look at each urgency, and the leases.
CLAIM = 4
#: The time and the handoff, which an attempt has anyway, then its events and the roster.
STORY = 4


async def test_claiming_does_not_look_at_other_leads(box: Toolbox) -> None:
    for _ in range(3):
        capture(box)
    real = datetime.now(UTC)
    with recorded(box.database) as looked:
        assert box.read_now(lambda session, now: leases.is_any_due(session, now=now, real=real))
    with recorded(box.database) as claimed:
        assert len(box.write_now(lambda session, now: leases.claim_due(session, by="me", now=now, real=real, room=3))) == 3

    assert_no_scan(box, looked)
    assert_no_scan(box, claimed)
    assert_at_most(claimed, CLAIM)


async def test_an_attempt_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken, driver = capture(box, **BY_POINTS), Driver(box, time)
    ident = newest(box, taken).id
    await driver.clock.tick()

    with recorded(box.database) as work:
        await driver.carry_out(ident)

    assert newest(box, taken).stage == "assigned"
    assert_no_scan(box, work)
    assert_at_most(work, ATTEMPT_TO_REP)

    answer_by_link(box, taken, "accepted")
    with recorded(box.database) as work:
        await driver.carry_out(ident)

    assert newest(box, taken).stage == "accepted"
    assert_no_scan(box, work)
    assert_at_most(work, ATTEMPT_AT_ANSWER)


async def test_the_story_of_a_run_does_not_look_at_other_leads(box: Toolbox, time: SteppedTime) -> None:
    taken, driver = capture(box, **BY_POINTS), Driver(box, time)
    await driver.settle()
    ident = newest(box, taken).id

    with recorded(box.database) as work:
        story = box.read_now(lambda session, now: story_of(session, handoffs.get(session, ident), told=0))

    assert len(story.lines) >= 5
    assert_no_scan(box, work)
    assert_at_most(work, STORY)
