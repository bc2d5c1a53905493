"""The driver: runs the real steps and the clock's real tick in stepped time, on real storage and without Prefect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from app.clock import Clock
from app.prefect_runs import Came, Run
from flows.attempt import attempt
from storage.tables import Delivery, Dispute, Enrolment, Wait, Wake
from tasks.wiring.toolbox import SteppedTime, Toolbox


class DrivenRuns:
    """An engine that keeps its runs in memory: the runs to carry out next, and the key under which each run is parked."""

    def __init__(self) -> None:
        self.ready: list[int] = []
        self.parked: dict[str, str] = {}
        self.ended_runs: set[str] = set()

    async def create(self, run: Run) -> str:
        self.ready.append(run.handoff_id)
        return f"run-{run.handoff_id}-{run.run_no}"

    async def wake(self, run: Run) -> Came:
        if run.run_id in self.ended_runs:
            return Came.GONE
        if self.parked.pop(run.run_id, None) is None:
            return Came.BUSY
        self.ready.append(run.handoff_id)
        return Came.MOVED

    async def not_parked(self, parked: Mapping[str, str]) -> set[str]:
        return {run_id for run_id, key in parked.items() if not await self.is_parked(run_id, key)}

    async def is_parked(self, run_id: str, key: str) -> bool:
        return self.parked.get(run_id) == key

    async def collect(self, handoff_id: int, run_id: str) -> bool:
        return False

    async def resumed(self) -> Sequence[str]:
        return []

    async def ended(self, run_ids: Sequence[str]) -> dict[str, bool]:
        return {}


class Driver:
    """Steps time from one due instant to the next and carries out what is due then."""

    def __init__(self, box: Toolbox, time: SteppedTime) -> None:
        self.box, self.time = box, time
        self.runs = DrivenRuns()
        self.clock = Clock(box, self.runs)
        self.agenda: list[tuple[datetime, Callable[[], None]]] = []

    def plan(self, at: datetime, action: Callable[[], None]) -> None:
        """Plan an action for that instant."""
        self.agenda.append((at, action))
        self.agenda.sort(key=lambda pair: pair[0])

    async def run(self, *, until: datetime, revisits: bool = False) -> None:
        """Go on until that instant, or until nothing more is due before it."""
        while True:
            await self.settle()
            at = self.next_at(revisits=revisits)
            if at is None or at > until:
                return
            self.time.at = max(at, self.time.at)

    async def settle(self) -> None:
        """Carry out everything that is due now, until nothing changes any more."""
        while True:
            acted = False
            while self.agenda and self.agenda[0][0] <= self.time.at:
                self.agenda.pop(0)[1]()
                acted = True
            moved = await self.clock.tick() + await self.clock.personal_messages()
            ready, self.runs.ready = self.runs.ready, []
            for handoff_id in ready:
                await self.carry_out(handoff_id)
            if not (acted or moved or ready):
                return

    async def carry_out(self, handoff_id: int) -> None:
        """Make one attempt, as the flow does."""
        async with attempt(handoff_id) as lead:
            rest = await lead.go_on()
        run_id = await self.box.read(lambda session, now: _run_id(session, handoff_id))
        if rest.waits:
            self.runs.parked[run_id] = rest.key
        else:
            self.runs.ended_runs.add(run_id)

    def next_at(self, *, revisits: bool) -> datetime | None:
        """Return the next instant at which something is due."""

        def find(session: Session, now: datetime) -> list[datetime | None]:
            waits = select(func.min(Wait.next_at)).where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None))
            if not revisits:
                waits = waits.where(Wait.kind != "revisit")
            return [
                session.exec(waits).one(),
                session.exec(select(func.min(Wake.not_before))).one(),
                session.exec(select(func.min(Delivery.send_at)).where(Delivery.state == "queued")).one(),
                session.exec(select(func.min(Dispute.due_at)).where(Dispute.ruling == "")).one(),
                session.exec(select(func.min(Enrolment.next_at))).one(),
            ]

        known = [at for at in self.box.read_now(find) if at is not None]
        return min([*known, *(at for at, _ in self.agenda[:1])], default=None)


def _run_id(session: Session, handoff_id: int) -> str:
    from storage.tables import Handoff

    handoff = session.get(Handoff, handoff_id)
    assert handoff is not None
    return handoff.flow_run_id


def drive(driver: Driver, *, until: datetime, revisits: bool = False) -> None:
    """Run the driver as Driver.run does, for synchronous tests."""
    asyncio.run(driver.run(until=until, revisits=revisits))
