"""A tick of the clock: what each thing that is due adds to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import Session, col, select

from storage import handoffs, waits
from storage.crm.local import LocalCrm
from storage.tables import Handoff, Wake
from tasks import intake
from tasks.background.read_crm import read_crm
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.deal import NOT_YET
from tests.driver import Driver
from tests.fakes import make_lead
from tests.stage import capture
from tests.storage.budgets.measuring import assert_at_most, assert_no_scan, from_5_to_25, rep_has, tick_with
from tests.storage.plans import Work, recorded

#: A tick with nothing due: the first one of a process, which does also what is done now and then, and any other with its post.
FIRST_TICK, QUIET_TICK = 29, 8
#: What each wait that is due adds to a tick that hands runs over, and each handoff with a wake.
TICK_A_NUDGE, TICK_A_DEADLINE, TICK_A_REVISIT, TICK_A_WAKE = 8, 8, 17, 8
#: Reading one change of the CRM and taking it; a few are stored and taken in one transaction.
READ_A_CHANGE = 20


async def test_a_tick_with_nothing_due_asks_a_few_things(box: Toolbox, time: SteppedTime) -> None:
    clock = Driver(box, time).clock

    with recorded(box.database) as first:
        await clock.tick()
    with recorded(box.database) as second:
        await clock.tick()
        await clock.personal_messages()

    assert_no_scan(box, first)
    assert_no_scan(box, second)
    assert_at_most(first, FIRST_TICK)
    assert_at_most(second, QUIET_TICK)


async def test_each_nudge_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: rep_has(box, "ana", count, next_at=timedelta(0)))

    assert_no_scan(box, work)
    assert each <= TICK_A_NUDGE, work.most_often()


async def test_each_missed_deadline_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: rep_has(box, "ana", count, due_at=timedelta(0)))

    assert_no_scan(box, work)
    assert each <= TICK_A_DEADLINE, work.most_often()


async def test_each_nurtured_lead_that_is_due_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    def nurture(session: Session, now: datetime) -> None:
        handoff = handoffs.get(session, intake.capture(session, make_lead(**NOT_YET), now=now).handoff_id or 0)
        handoffs.move(session, handoff, "recycled", now=now)
        waits.open_wait(session, handoff, waits.NewWait("revisit", holder="marketing", due_at=now), now=now)
        session.execute(delete(Wake).where(col(Wake.handoff_id) == handoff.id))

    each, work = await tick_with(box, time, lambda count: [box.write_now(nurture) for _ in range(count)])

    assert_no_scan(box, work)
    assert each <= TICK_A_REVISIT, work.most_often()


async def test_each_change_in_the_crm_adds_the_same_to_its_reading(box: Toolbox, time: SteppedTime) -> None:
    crm = box.crm
    assert isinstance(crm, LocalCrm)
    ended = select(Handoff.lead_id).where(col(Handoff.ended_at).is_not(None)).limit(30)
    leads = box.read_now(lambda session, now: list(session.exec(ended)))

    async def measure(count: int) -> Work:
        time.at += timedelta(minutes=1)
        for number, lead in enumerate(leads[:count]):
            if number % 3 == 0:
                crm.person_logs(lead, by="ana", at=time.at, channel="call")
            elif number % 3 == 1:
                crm.person_changes(lead, by="ana", at=time.at, values={"status": "Looked at"})
            else:
                crm.person_sets_opportunity(lead, by="ana", at=time.at, stage="Discovery", amount="100")
        with recorded(box.database) as work:
            assert await read_crm(box) == count
        return work

    each, many = await from_5_to_25(measure)

    assert each <= READ_A_CHANGE
    assert_no_scan(box, many)


async def test_each_wake_adds_the_same_to_a_tick(box: Toolbox, time: SteppedTime) -> None:
    each, work = await tick_with(box, time, lambda count: [capture(box) for _ in range(count)])

    assert_no_scan(box, work)
    assert each <= TICK_A_WAKE, work.most_often()
