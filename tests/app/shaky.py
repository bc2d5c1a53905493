"""An engine that is not to be relied upon, and what happens around a clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from app.clock import Clock
from app.prefect_runs import Came, EngineAway, Run
from storage import handoffs
from storage.tables import Wake
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import DrivenRuns, Driver
from tests.present import the
from tests.stage import Taken, capture, newest

#: Of real time: longer than any test takes.
A_LONG_WHILE = timedelta(days=1)


class ShakyRuns(DrivenRuns):
    """Runs that can be away, lost, cancelled, swallowed or answered in the engine's own window."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.broken: set[int] = set()
        self.cancelled: set[str] = set()
        self.swallows = False
        self.collects = False
        self.asked: list[str] = []

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise EngineAway("connection refused")

    async def create(self, run: Run) -> str:
        self._ask(f"create {run.handoff_id}:{run.run_no}")
        if run.handoff_id in self.broken:
            raise ValueError("badly formed hexadecimal UUID string")
        return await super().create(run)

    async def wake(self, run: Run) -> Came:
        self._ask(f"wake {run.handoff_id}")
        if run.run_id in self.cancelled:
            return Came.CANCELLED
        return Came.MOVED if self.swallows else await super().wake(run)

    async def is_parked(self, run_id: str, key: str) -> bool:
        self._ask("is parked")
        if any(run_id.startswith(f"run-{one}-") for one in self.broken):
            raise ValueError("badly formed hexadecimal UUID string")
        return await super().is_parked(run_id, key)

    async def collect(self, handoff_id: int, run_id: str) -> bool:
        return self.collects

    async def resumed(self) -> Sequence[str]:
        self._ask("resumed")
        return []

    async def ended(self, run_ids: Sequence[str]) -> dict[str, bool]:
        self._ask("ended")
        return {one: one in self.cancelled for one in run_ids if one in self.ended_runs | self.cancelled}


@pytest.fixture
def driver(box: Toolbox, time: SteppedTime, runs: ShakyRuns) -> Driver:
    """The driver on runs that are not to be relied upon."""
    made = Driver(box, time)
    made.runs = runs
    made.clock = Clock(box, runs)
    return made


@pytest.fixture
def runs() -> ShakyRuns:
    """The runs of the test's driver."""
    return ShakyRuns()


async def assigned(driver: Driver, box: Toolbox) -> Taken:
    taken = capture(box)
    await driver.settle()
    return taken


async def look_afresh(driver: Driver) -> None:
    """A clock that was just started looks at everything at once."""
    driver.clock = Clock(driver.box, driver.runs)
    await driver.clock.tick()


def change(box: Toolbox, taken: Taken, **values: object) -> None:
    """Changes the lead's handoff as if that had happened."""

    def work(session: Session, now: datetime) -> None:
        handoff = the(handoffs.latest_of(session, taken.lead_id))
        for name, value in values.items():
            setattr(handoff, name, value)
        session.add(handoff)

    box.write_now(work)


def wakes_of(box: Toolbox, taken: Taken) -> list[str]:
    query = select(Wake.kind).where(Wake.handoff_id == newest(box, taken).id).order_by(col(Wake.id))
    return box.read_now(lambda session, now: list(session.exec(query)))


def delivered_earlier(box: Toolbox, seconds: float) -> None:
    """As if the wakes had been delivered so many seconds of real time ago."""

    def work(session: Session, now: datetime) -> None:
        for wake in session.exec(select(Wake).where(col(Wake.delivered_at).is_not(None))):
            wake.delivered_at = datetime.now(UTC) - timedelta(seconds=seconds)
            session.add(wake)

    box.write_now(work)


def delivered_just_now(box: Toolbox) -> None:
    """The wakes were delivered just now, however long a slow machine takes from here on."""
    delivered_earlier(box, -A_LONG_WHILE.total_seconds())
