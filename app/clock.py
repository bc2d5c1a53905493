"""The clock: each second it looks at what is due, delivers wakes, and mends what was left lying."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, select

from agreements.errors import CrmError
from agreements.lifecycle import OPEN_STAGES, Stage
from app.engine import Came, Engine, EngineAway, Run
from flows.attempt import MAX_FAILURES
from storage import contracts, deliveries, disputes, handoffs, proof, roster, trail, waits, wakes
from storage.tables import Handoff, Wait, Wake
from tasks import line, read_crm, views
from tasks.dispute import settle_in_silence
from tasks.held import release_held
from tasks.post import send_post
from tasks.revisit import revisit
from tasks.sealing import seal_trail
from tasks.slices import write_in_slices
from tasks.toolbox import Toolbox

log = logging.getLogger("baton.clock")
SWEEP_LIMIT = 500
#: How many leads that can wait are begun before earlier ones have been carried out.
BEGIN_AT_ONCE = 50
RECONCILE_SECONDS = 30.0
SEAL_SECONDS = 5.0
RELEASE_SECONDS = 600.0
#: The longest that a wait which cannot be looked at is left alone, in seconds.
LONGEST_PUT_OFF = 300.0


class Clock:
    """Ticks. Any number may run at once: every write is a compare-and-set or carries a unique key."""

    def __init__(self, box: Toolbox, engine: Engine, *, tick_seconds: float = 1.0, at_once: int = 1) -> None:
        self.box, self.engine, self.tick_seconds = box, engine, tick_seconds
        self._at_once = at_once
        self._next: dict[str, float] = {}
        self._away = self._failed = False
        self._counting: tuple[str, ...] = ()
        self._release_again = 0.0
        self._put_off: dict[str, tuple[float, float]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Ticks until stop is set. Nothing that goes wrong in one tick ends it, and no slow mail server holds one up."""
        await asyncio.gather(self._again(stop, self.tick, "a tick"), self._again(stop, self.post, "a round of the post"))

    async def _again(self, stop: asyncio.Event, part: Callable[[], Awaitable[int]], called: str) -> None:
        while not stop.is_set():
            try:
                await part()
            except Exception:
                log.exception("%s failed; the next one goes on", called)
            try:
                await asyncio.wait_for(stop.wait(), self.tick_seconds)
            except TimeoutError:
                continue

    async def post(self) -> int:
        """Sends the messages that no run sends; how many were dealt with."""
        return await send_post(self.box)

    async def tick(self) -> int:
        """Everything that is due now; how many things moved."""
        moved, self._failed = 0, False
        for part in (self._every(self.box.settings.crm_poll_seconds, self._read_crm), self.sweep, self.deliver):
            moved += await self._guarded(part)
        moved += await self._guarded(self._settle_disputes)
        await self._guarded(self._every(1.0, self._collect))
        await self._guarded(self._every(RECONCILE_SECONDS, self._reconcile))
        await self._guarded(self._every(RECONCILE_SECONDS, self._release))
        await self._guarded(self._every(SEAL_SECONDS, self._seal))
        self._away = self._failed
        return moved

    async def _guarded(self, part: Callable[[], Awaitable[int]]) -> int:
        try:
            return await part()
        except EngineAway as error:
            if not (self._away or self._failed):
                log.warning("the Prefect server does not answer; answers are stored and go on when it is back: %s", error)
            self._failed = True
            return 0

    def _every(self, seconds: float, part: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
        async def timed() -> int:
            name, now = getattr(part, "__name__", repr(part)), time.monotonic()
            if now < self._next.get(name, 0.0):
                return 0
            self._next[name] = now + seconds
            return await part()

        return timed

    async def sweep(self) -> int:
        """Looks at every wait whose next instant has come: a nudge, a missed deadline, a revisit.

        One that cannot be looked at is put off for longer each time, so that many such do not fill every sweep.
        """
        off = [ident for ident, (until, _) in self._put_off.items() if until > time.monotonic()]

        def find(session: Session, now: datetime) -> list[Wait]:
            query = select(Wait).where(col(Wait.closed_at).is_(None), col(Wait.answer_id).is_(None), col(Wait.next_at) <= now)
            query = query.where(col(Wait.id).not_in(off)) if off else query
            return list(session.exec(query.order_by(col(Wait.next_at), col(Wait.handoff_id)).limit(SWEEP_LIMIT)))

        found = await self.box.read(find)
        await self.box.write(proof.settle)
        moved = await self._revive()
        for wait in found:
            try:
                moved += await self._look_at(wait)
                self._put_off.pop(wait.id, None)
            except EngineAway:
                raise
            except Exception:
                pause = min(LONGEST_PUT_OFF, 2 * self._put_off.get(wait.id, (0.0, self.tick_seconds))[1])
                self._put_off[wait.id] = (time.monotonic() + pause, pause)
                log.exception("wait %s of handoff %s could not be looked at; the others go on", wait.id, wait.handoff_id)
        return moved

    async def _look_at(self, wait: Wait) -> int:
        if wait.kind == "revisit":
            return await self.box.write(lambda session, now: self._revisit(session, wait.id, now))
        run_id, due = await self.box.read(lambda session, now: (handoffs.get(session, wait.handoff_id).flow_run_id, now >= wait.due_at))
        if not due:
            key, kind = f"rung:{wait.id}:{wait.next_at.isoformat()}", wakes.TURN if wait.about == line.ABOUT else "rung"
            return int(await self.box.write(lambda session, now: wakes.add(session, wait.handoff_id, kind, key=key, not_before=now)))
        if wait.parked_key and run_id and not await self.engine.is_parked(run_id, wait.parked_key):
            if await self.engine.collect(wait.handoff_id, run_id):
                return 1
            key = f"look:{wait.id}:{wait.parks}"
            await self.box.write(lambda session, now: wakes.add(session, wait.handoff_id, "look", key=key, not_before=now))
            return 0
        return await self.box.write(lambda session, now: self._missed(session, wait.id, now))

    async def _settle_disputes(self) -> int:
        """Silence agrees: where nobody has decided on a dispute in time, the rejection stands. One that fails stops no other."""
        settled = 0
        for ident in await self.box.read(lambda session, now: disputes.overdue(session, now=now)):
            try:
                settled += await self.box.write(lambda session, now, one=ident: settle_in_silence(session, one, now=now))  # type: ignore[misc]
            except Exception:
                log.exception("dispute %s could not be settled; the others go on", ident)
        return settled

    @staticmethod
    def _missed(session: Session, wait_id: str, now: datetime) -> int:
        wait = session.get(Wait, wait_id)
        if wait is None or wait.closed_at or wait.answer_id or wait.due_at > now:
            return 0
        return int(waits.answer(session, wait_id, "deadline", by="clock", via="clock", now=now, answered_at=wait.due_at).won)

    @staticmethod
    def _revisit(session: Session, wait_id: str, now: datetime) -> int:
        wait = session.get(Wait, wait_id, with_for_update=True, populate_existing=True)  # a ruling may take it from nurture too
        if wait is None or wait.closed_at:
            return 0
        revisit(session, wait, now=now)
        return 1

    async def _revive(self) -> int:
        """An attempt that died with its lease leaves a handoff that nobody would wake: wake it."""
        died = (col(Handoff.lease_until) < datetime.now(UTC) - timedelta(seconds=1), col(Handoff.stage) != Stage.STUCK)

        def find(session: Session, now: datetime) -> list[tuple[int, int]]:
            found = session.exec(select(Handoff.id, Handoff.epoch).where(*died).limit(SWEEP_LIMIT))
            return [(ident or 0, epoch) for ident, epoch in found]

        def wake(session: Session, now: datetime, dead: Sequence[tuple[int, int]]) -> int:
            return sum(wakes.add(session, ident, "revive", key=f"revive:{ident}:{epoch}", not_before=now) for ident, epoch in dead)

        return await write_in_slices(self.box, await self.box.read(find), wake)

    async def deliver(self) -> int:
        """Creates or resumes a run for every handoff with a wake that is due; a few at once, one on SQLite.

        Of those that can wait only so many that whoever asks for something next is soon carried out.
        """
        due = await self.box.read(self._due)
        moved, gate = 0, asyncio.Semaphore(self._at_once)

        async def one(item: wakes.Due) -> int:
            async with gate:
                return await self._deliver(item)

        results = await asyncio.gather(*(one(item) for item in due), return_exceptions=True)
        for item, result in zip(due, results, strict=True):
            if isinstance(result, EngineAway):
                raise result
            if isinstance(result, BaseException):
                log.error("wake of handoff %s could not be delivered; the others go on", item.handoff_id, exc_info=result)
            else:
                moved += result
        return moved

    @staticmethod
    def _due(session: Session, now: datetime) -> list[wakes.Due]:
        real = datetime.now(UTC)
        found = wakes.due(session, now=now, real=real)
        room = max(0, BEGIN_AT_ONCE - wakes.under_way(session, real=real))
        can_wait = [item for item in found if item.can_wait]
        return [item for item in found if not item.can_wait] + can_wait[:room]

    async def _deliver(self, item: wakes.Due) -> int:
        run = await self.box.read(lambda session, now: _run(session, item))
        if run is None:
            return 0
        if not run.run_id:
            run_id = await self.engine.create(run)
            await self.box.write(lambda session, now: _created(session, run, run_id, item))
            return 1
        came = await self.engine.wake(run, item.wake_ids[0])
        if came == Came.MOVED:
            await self.box.write(lambda session, now: wakes.mark_delivered(session, item.wake_ids, real=datetime.now(UTC)))
            return 1
        if came == Came.BUSY:
            await self.box.write(lambda session, now: wakes.count_try(session, item.wake_ids))
            return 0
        await self.box.write(lambda session, now: _lost(session, run, now, cancelled=came == Came.CANCELLED))
        return 1

    async def _collect(self) -> int:
        """Answers given in Prefect's own window count as of that moment, whether or not a worker is there to read them."""
        collected = 0
        for run_id in await self.engine.resumed():
            handoff_id = await self.box.read(lambda session, now, run_id=run_id: _answered_elsewhere(session, run_id))  # type: ignore[misc]
            if handoff_id is not None:
                collected += await self.engine.collect(handoff_id, run_id)
        return collected

    async def _reconcile(self) -> int:
        """Open handoffs whose run has ended without them: cancelled by a person, or lost."""

        def open_runs(session: Session, now: datetime) -> dict[str, int]:
            query = select(Handoff.flow_run_id, Handoff.id).where(
                col(Handoff.stage).in_([one.value for one in OPEN_STAGES if one != Stage.STUCK]), Handoff.flow_run_id != ""
            )
            return {run_id: handoff_id or 0 for run_id, handoff_id in session.exec(query)}

        runs = await self.box.read(open_runs)
        ids = list(runs)
        ended: dict[str, bool] = {}
        for start in range(0, len(ids), 200):
            ended |= await self.engine.ended(ids[start : start + 200])
        for run_id, cancelled in ended.items():
            await self.box.write(lambda session, now, r=run_id, c=cancelled: _ended(session, runs[r], r, c, now))  # type: ignore[misc]
        return len(ended)

    async def _release(self) -> int:
        """Leads that came in while no agreement was in force for them start when one is. All of them are looked at when another
        version comes into force, and now and then."""
        rows = await self.box.read(lambda session, now: contracts.counting(session, now))
        counting, real = tuple(map(contracts.reference_of, rows)), time.monotonic()
        if counting == self._counting and real < self._release_again:
            return 0
        self._counting, self._release_again = counting, real + RELEASE_SECONDS
        return await release_held(self.box, only_without_agreement=True)

    async def _seal(self) -> int:
        return await seal_trail(self.box)

    async def _read_crm(self) -> int:
        try:
            return await read_crm.read_crm(self.box)
        except CrmError as error:
            log.warning("the CRM could not be read; deadlines and answers go on: %s", error)
            return 0


def _run(session: Session, item: wakes.Due) -> Run | None:
    handoff = handoffs.get(session, item.handoff_id)
    real = datetime.now(UTC)
    given_up = handoff.stage == Stage.STUCK and handoff.failures >= MAX_FAILURES
    if (handoff.retry_at and handoff.retry_at > real) or handoff.held or given_up:
        return None
    if handoff.lease_until and handoff.lease_until > real:
        return None  # the attempt under way reads its wakes before it rests
    if session.exec(select(Wake.id).where(col(Wake.id).in_(item.wake_ids)).limit(1)).first() is None:
        return None
    version = contracts.get(session, handoff.agreement, handoff.version)
    waited = (real - item.waiting_since).total_seconds()
    name = views.run_name(session, handoff)
    tags = (f"stage:{handoff.stage}", f"agreement:{handoff.agreement}@{handoff.version}", f"lead:{handoff.lead_id}")
    return Run(handoff.id or 0, handoff.run_no, handoff.flow_run_id, version.deployment_id, name, waited, tags)


def _created(session: Session, run: Run, run_id: str, item: wakes.Due) -> None:
    handoff = handoffs.get(session, run.handoff_id)
    if not handoff.flow_run_id and handoff.run_no == run.run_no:
        handoff.flow_run_id = run_id
        session.add(handoff)
    wakes.mark_delivered(session, item.wake_ids, real=datetime.now(UTC))


def _lost(session: Session, run: Run, now: datetime, *, cancelled: bool) -> None:
    handoff = handoffs.get(session, run.handoff_id)
    if handoff.flow_run_id != run.run_id:
        return
    if cancelled and handoffs.is_open(handoff) and handoff.stage != Stage.STUCK:
        _cancelled(session, handoff, now)
        return
    handoff.run_no += 1
    handoff.flow_run_id = ""
    session.add(handoff)


def _cancelled(session: Session, handoff: Handoff, now: datetime) -> None:
    """Cancelling a run takes nothing away: the lead is stuck until somebody decides, and operations are told, by a new run."""
    trail.record(session, "run-cancelled", now=now, handoff=handoff, actor="prefect")
    handoffs.move(session, handoff, "got-stuck", now=now, why="its run was cancelled in Prefect")
    handoff.run_no += 1
    handoff.flow_run_id = ""
    session.add(handoff)
    what = f"Lead {handoff.lead_id} is stuck: its run was cancelled in Prefect. `baton leads unstick {handoff.lead_id}` lets it go on."
    key = f"stuck:{handoff.id}:{handoff.run_no}:email"
    person = roster.current(session).operator
    deliveries.queue(session, handoff, "ops-told", key=key, channel="email", person=person, now=now, context={"what": what})


def _ended(session: Session, handoff_id: int, run_id: str, cancelled: bool, now: datetime) -> None:
    handoff = handoffs.get(session, handoff_id)
    if handoff.flow_run_id == run_id and handoffs.is_open(handoff) and handoff.stage != Stage.STUCK and not handoff.lease_until:
        if cancelled:
            _cancelled(session, handoff, now)
        else:
            wakes.add(session, handoff_id, "run-ended", key=f"run-ended:{run_id}", not_before=now)


def _answered_elsewhere(session: Session, run_id: str) -> int | None:
    handoff = session.exec(select(Handoff).where(Handoff.flow_run_id == run_id)).first()
    if handoff is None:
        return None
    ours = session.exec(select(Wake.id).where(Wake.handoff_id == handoff.id, col(Wake.delivered_at).is_not(None)).limit(1)).first()
    return None if ours else handoff.id
