"""Measures what a piece of work asks of a database with a crowd, and what each further thing adds to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from sqlalchemy import delete, update
from sqlmodel import Session, col

from agreements.words import WaitKind
from app.web.site import create_site
from storage import devices, handoffs, waits
from storage.tables import Assignment, Delivery, DeliveryState, Handoff, Wait, Wake
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.conftest import MONDAY
from tests.driver import Driver
from tests.patience import PATIENCE_SECONDS
from tests.rows import a_handoff
from tests.storage.plans import Work, recorded, scans

#: What one statement may take of SQLite's machine: some hundred rows. One beyond this reads more rows with more leads.
STEPS_AT_MOST = 3_000

#: Statements that may read much, by how they begin: where they are asked, and why they may still.
KNOWN_SCANS = {
    "SELECT handoffs.id FROM handoffs WHERE handoffs.ended_at IS NULL": "storage/strays.py looks at 500 open handoffs each time",
    "SELECT handoffs.id FROM handoffs WHERE handoffs.stage IN": "storage/strays.py looks at 500 open handoffs each time",
    "SELECT handoffs.flow_run_id, handoffs.id": "app/repair.py compares 200 open handoffs with Prefect each time",
    "SELECT assignments.rep, count(*) AS count_1": "tasks/steps/candidates.py counts all turns that a rep has ever had",
}


def clear(session: Session, now: datetime) -> None:
    """Leave only the crowd: what earlier tests took in has ended, and nothing of it is left to be done."""
    own = update(Handoff).where(col(Handoff.created_at) >= MONDAY, col(Handoff.ended_at).is_(None))
    session.execute(own.values(stage="disqualified", ended_at=now))
    soon = now + timedelta(days=30)
    session.execute(delete(Wake).where(col(Wake.not_before) <= soon))
    session.execute(update(Delivery).where(col(Delivery.state) == DeliveryState.QUEUED).values(state=DeliveryState.CANCELLED))
    session.execute(update(Wait).where(col(Wait.closed_at).is_(None), col(Wait.next_at) <= soon).values(closed_at=now))


def assert_no_scan(box: Toolbox, work: Work) -> None:
    """Nothing of this work reads a big table from end to end, or more rows than a lead or a person has."""
    asked = work.without(KNOWN_SCANS)
    assert scans(box.database, asked) == {}
    assert {one.statement: one.steps for one in asked.asked if one.steps > STEPS_AT_MOST} == {}


def assert_at_most(work: Work, most: int) -> None:
    """The work asks for no more statements than that."""
    assert len(work) <= most, f"{len(work)} statements:\n{work.most_often()}"


def rep_has(box: Toolbox, rep: str, count: int, *, kind: WaitKind = "acceptance", **times: timedelta) -> None:
    """So many leads more that this rep has, each with a wait of that kind, due in an hour if no other time is given."""

    def work(session: Session, now: datetime) -> None:
        for _ in range(count):
            handoff = a_handoff(session, now, rep=rep, owner=rep)
            handoffs.born_under(session, handoff, at=now, values={})
            tenure = Assignment(handoff_id=handoff.id, lead_id=handoff.lead_id, rep=rep, team="emea", assigned_at=now, proven_at=now)
            session.add(tenure)
            session.flush()
            due: dict[str, Any] = {"due_at": now + timedelta(hours=1), **{name: now + after for name, after in times.items()}}
            waits.open_wait(session, handoff, waits.NewWait(kind, holder=rep, assignment_id=tenure.id, **due), now=now)

    box.write_now(work)


async def from_5_to_25(measure: Callable[[int], Awaitable[Work]]) -> tuple[float, Work]:
    """How many statements each further thing adds, and what is asked for 25 of them. measure: the work for so many."""
    few, many = await measure(5), await measure(25)
    return (len(many) - len(few)) / 20, many


async def tick_with(box: Toolbox, time: SteppedTime, prepare: Callable[[int], object]) -> tuple[float, Work]:
    """The same for a tick, after the first one of its process. prepare: makes so many things due."""

    async def measure(count: int) -> Work:
        box.write_now(clear)
        driver = Driver(box, time)
        await driver.clock.tick()
        prepare(count)
        with recorded(box.database) as work:
            await driver.clock.tick()
        return work

    return await from_5_to_25(measure)


async def list_with(box: Toolbox, rep: str, path: str, person: str = "") -> tuple[float, Work]:
    """The same for a page on which all leads of this rep stand; person: whose browser asks, the rep's where not given."""
    has = 0

    async def measure(count: int) -> Work:
        nonlocal has
        rep_has(box, rep, count - has)
        has = count
        async with browser_of(box, person or rep) as browser:
            with recorded(box.database) as work:
                page = await browser.get(path)
        assert page.status_code == 200
        assert page.text.count("Harbour") >= count
        return work

    return await from_5_to_25(measure)


@asynccontextmanager
async def browser_of(box: Toolbox, person: str) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was enrolled as this person's, at the site."""
    cookie = f"a-browser-of-the-person-{person}"
    box.write_now(lambda session, now: devices.remember(session, devices.hash_of(cookie), person, level=devices.ENROLLED, now=now))
    inside = httpx.ASGITransport(app=create_site(box))
    known = {"baton_device": cookie}
    async with httpx.AsyncClient(transport=inside, base_url="http://baton.test", cookies=known, timeout=PATIENCE_SECONDS) as browser:
        yield browser
