"""Leads that were stored and not started begin in slices: others write meanwhile, and whoever was interrupted goes on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from agreements.lead import IncomingLead
from storage import contracts, handoffs
from storage.database import Database
from storage.tables import Bookmark, Handoff, Lead, Wake
from tasks import intake
from tasks.background.held_leads import RELEASED_AT_ONCE, release_held
from tasks.wiring.toolbox import Toolbox
from tests.in_flight import published, text_of
from tests.rows import woken
from tests.written import written

WEB = "agreement: web\napplies_to: {source: [web]}\ndefault: false\n"


def held(box: Toolbox, count: int, *, source: str = "phone") -> None:
    """So many leads that were stored and not started."""

    def work(session: Session, now: datetime) -> None:
        rows = [Lead(source=source, company=f"Company {number}", created_at=now) for number in range(count)]
        session.add_all(rows)
        session.flush()
        session.add_all([Handoff(lead_id=row.id, created_at=now, held=True) for row in rows])

    box.write_now(work)


class OtherWriter:
    """Another process's connection that writes one row again and again until the block ends."""

    def __init__(self, url: str) -> None:
        self.times, self.errors = 0, list[Exception]()
        self._database, self._stop = Database(url), threading.Event()
        self._running = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._database.write() as session:
                    session.merge(Bookmark(name="other", value=str(self.times)))
                self.times += 1
                self._running.set()
            except Exception as error:
                self.errors.append(error)

    def __enter__(self) -> OtherWriter:
        self._thread.start()
        self._running.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._database.close()


@pytest.mark.parametrize("count", [120, pytest.param(3000, marks=pytest.mark.long)])
def test_many_held_leads_are_released_while_another_writer_goes_on(box: Toolbox, count: int) -> None:
    """Releasing 3,000 in one transaction took half a minute, and whoever wrote meanwhile failed after ten seconds."""
    held(box, count)
    told: list[int] = []

    with OtherWriter(box.database.url) as other, written(box.database) as kept:
        assert asyncio.run(release_held(box, progress=told.append)) == count

    kept.assert_short()
    assert len(kept.rows) == count // RELEASED_AT_ONCE + bool(count % RELEASED_AT_ONCE)
    assert other.errors == []
    assert (sum(told), woken(box), box.read_now(lambda session, now: handoffs.count_held(session))) == (count, count, 0)


def test_a_release_that_is_interrupted_goes_on_where_it_stood(box: Toolbox) -> None:
    held(box, 2 * RELEASED_AT_ONCE)

    def die(more: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(release_held(box, progress=die))
    assert woken(box) == RELEASED_AT_ONCE

    assert asyncio.run(release_held(box)) == RELEASED_AT_ONCE
    assert woken(box) == 2 * RELEASED_AT_ONCE


def only_for_the_web(session: Session, now: datetime) -> None:
    """From now on an agreement is in force for leads of the web alone."""
    contracts.get(session, "b2b-saas", 1).closed = True
    published(session, text_of(1, "2026-01-01", ("agreement: b2b-saas\n", WEB)), now)


def test_those_that_stay_held_are_looked_at_once(box: Toolbox) -> None:
    """No agreement is for them: they neither keep a release going for ever nor hide those behind them."""
    box.write_now(only_for_the_web)
    held(box, 2 * RELEASED_AT_ONCE)
    held(box, 1, source="web")
    told: list[int] = []

    assert asyncio.run(release_held(box, progress=told.append, limit=1)) == 1

    assert sum(told) == 2 * RELEASED_AT_ONCE + 1
    rows = box.read_now(lambda session, now: list(session.exec(select(Handoff).order_by(col(Handoff.id)))))
    assert {row.reason for row in rows[:-1] if row.held} == {handoffs.NO_AGREEMENT}
    assert [row.held for row in rows] == [True] * 2 * RELEASED_AT_ONCE + [False]


def test_a_released_lead_that_asked_to_talk_to_sales_goes_before_the_others(box: Toolbox, make_lead: Callable[..., IncomingLead]) -> None:
    """As it does when it comes in and nothing is held."""
    asks = {"list": "webinar_attended", "hot": "demo_requested"}

    def hold(incoming: IncomingLead) -> None:
        box.write_now(lambda session, now: intake.capture(session, incoming, now=now, hold=True))

    for ident, activity in asks.items():
        hold(make_lead(source_id=ident, email=f"{ident}@{ident}.example", activity=activity))

    assert asyncio.run(release_held(box)) == len(asks)

    query = select(Wake.handoff_id).order_by(col(Wake.urgency), col(Wake.id))
    hot, other = box.read_now(lambda session, now: list(session.exec(query)))
    assert hot > other, "the one that asked came later, and goes first"
