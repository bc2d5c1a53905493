"""The clock: deadlines, nudges, revisits and other work that is due by time, each in its own loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from sqlmodel import Session

from agreements.errors import CrmError
from app.deadlines import Deadlines
from app.hand_over import HandOver
from app.intake_doors.fetch_queue import fetch_leads
from app.prefect_runs import Engine, EngineAway
from app.repair import Repair
from app.review.week_counting import count_weeks
from storage import contracts, disputes, due_check, proof
from storage.trail import HeadMissing
from tasks.background import alarms, read_crm
from tasks.background.absences import hand_over_absences
from tasks.background.enrolments import enrol_leads
from tasks.background.feeds import poll_feeds
from tasks.background.held_leads import release_held
from tasks.background.personal_outbox import GIVEN_UP_AFTER, send_personal_messages
from tasks.background.stalled import note_stalled
from tasks.disputes.rulings import settle_in_silence
from tasks.trail.heads import HeadsUnreadable
from tasks.trail.mail import queue_head
from tasks.trail.sealing import seal_trail
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.clock")
RECONCILE_SECONDS = 30.0
STRANDED_SECONDS = 10.0
RELEASE_CHECK_SECONDS = 30.0
#: How often the clock looks whether somebody's absence has begun, in seconds.
ABSENCE_SECONDS = 60.0
#: How often the clock looks whether a calendar feed is due, in seconds.
FEED_SECONDS = 20.0
SEAL_SECONDS = 5.0
#: How often the clock checks whether today's mail with the head of the trail has been requested, in seconds.
HEAD_SECONDS = 300.0
#: How often the clock asks Prefect for runs that were resumed by hand, in real seconds.
RESUMED_SECONDS = 2.0
RELEASE_SECONDS = 600.0
#: How often the clock looks for what the operator must know, in seconds. The first look comes after this time.
ALARM_SECONDS = 60.0
#: How often the clock looks whether the figures of the week are old, in seconds. The first look comes after this time.
WEEK_SECONDS = 60.0
#: The longest pause before a part that keeps failing is tried again, in seconds.
LONGEST_PAUSE = 60.0

#: What a part returns when its time has not come.
NOT_NOW = -1
#: Parts that have certainly asked Prefect when they return at least this number.
ASK_PREFECT = {"answers in Prefect": 0, "wakes": 1}

Part = Callable[[], Awaitable[int]]


class Clock:
    """Runs each part when it is due. Any number may run at once: every write is a compare-and-set, has a unique key, or locks its rows.

    hands_over: Prefect's own workers carry the runs out, so the clock hands wakes over to Prefect.
    """

    def __init__(self, box: Toolbox, engine: Engine, *, tick_seconds: float = 1.0, at_once: int = 1, hands_over: bool = True) -> None:
        self.box, self.engine, self.tick_seconds = box, engine, tick_seconds
        self.deadlines = Deadlines(box, engine, tick_seconds=tick_seconds)
        self.repair = Repair(box, engine)
        self.hand_over = HandOver(box, engine, at_once=at_once) if hands_over else None
        self._next: dict[str, float] = {}
        self._away = False
        self._counting: tuple[str, ...] = ()
        self._release_again = 0.0
        self._looking = asyncio.Lock()
        self._seen: frozenset[str] = frozenset()
        self._look_again = 0.0
        self._refused = ""
        self._began = self._ticked = time.monotonic()
        self._away_since = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until stop is set. No part waits for another one, and no error in one part ends it."""
        loops = [asyncio.create_task(self._again(stop, part, called)) for called, part in self._parts().items()]
        await asyncio.gather(*loops)

    def _parts(self) -> dict[str, Part]:
        """Return the parts by their names in the log, the most urgent first."""
        parts: dict[str, Part] = {
            "deadlines": self._where_seen("deadlines", self.deadlines.missed),
            "nudges": self._where_seen("nudges", self.deadlines.nudges),
            "revisits": self._where_seen("revisits", self.deadlines.revisits),
            "messages": self._where_seen("messages", self.personal_messages),
            "answers in Prefect": self._every(RESUMED_SECONDS, self.repair.collect),
            "repair": self._where_seen("repair", self.repair.dead),
            "stranded leads": self._every(STRANDED_SECONDS, self.repair.stranded),
            "reconciliation": self._every(RECONCILE_SECONDS, self.repair.reconcile),
            "changes in the CRM": self._every(self.box.settings.crm_poll_seconds, self._read_crm),
            "a reading of the CRM": self._where_seen("a reading of the CRM", self._read_crm_at_once),
            "changes that wait": self._where_seen("changes that wait", self._take_waiting),
            "disputes": self._where_seen("disputes", self._settle_disputes),
            "proofs": self._where_seen("proofs", self._settle_proofs),
            "absences": self._every(ABSENCE_SECONDS, self._absences),
            "stalled opportunities": self._where_seen("stalled opportunities", self._note_stalled),
            "leads to fetch": self._where_seen("leads to fetch", self._fetch_leads),
            "calendar feeds": self._every(FEED_SECONDS, self._poll_feeds),
            "nurture tracks": self._where_seen("nurture tracks", self._enrol),
            "held leads": self._every(RELEASE_CHECK_SECONDS, self._release),
            "the trail": self._every(SEAL_SECONDS, self._seal),
            "the head of the trail by mail": self._every(HEAD_SECONDS, self._mail_head),
            "alarms": self._every(ALARM_SECONDS, self._look_for_alarms, at_once=False),
            "the figures of the week": self._every(WEEK_SECONDS, self._count_weeks, at_once=False),
        }
        if self.hand_over:
            parts["wakes"] = self.hand_over.deliver
        return parts

    async def _again(self, stop: asyncio.Event, part: Part, called: str) -> None:
        failures = 0
        while not stop.is_set():
            try:
                await self._guarded(called, part)
                failures = 0
                self._ticked = time.monotonic() if called == "deadlines" else self._ticked
            except Exception as error:
                failures += 1
                # the first failure with its traceback, each later one in one line
                log.error("%s failed, and will be tried again: %s", called, error, exc_info=error if failures == 1 else None)
            pause = self.tick_seconds if not failures else min(LONGEST_PAUSE, self.tick_seconds * 2 ** min(failures, 10))
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                continue

    async def tick(self) -> int:
        """Do everything that is due now, one part after another; return how many things moved."""
        moved, self._look_again = 0, 0.0
        crm = ("changes in the CRM", "a reading of the CRM", "changes that wait")
        order = (*crm, "deadlines", "nudges", "revisits", "proofs", "repair", "wakes", "disputes")
        parts = self._parts()
        for called in (*order, *(one for one in parts if one not in (*order, "messages"))):
            if called in parts:
                done = await self._guarded(called, parts[called])
                moved += max(0, done) if called in order else 0
        return moved

    async def _guarded(self, called: str, part: Part) -> int:
        """Run the part. Log once that the engine is away, and again when it goes away anew."""
        try:
            moved = await part()
        except EngineAway as error:
            if not self._away:
                log.warning("the Prefect server does not answer; answers are stored and go on when it is back: %s", error)
            self._away_since = self._away_since if self._away else time.monotonic()
            self._away = True
            return 0
        if called in ASK_PREFECT and moved >= ASK_PREFECT[called]:
            self._away = False
        return moved

    @property
    def seconds_since_tick(self) -> float:
        """Return how long ago the clock last went through the deadlines, in real seconds."""
        return time.monotonic() - self._ticked

    @property
    def seconds_away(self) -> float | None:
        """Return for how long the Prefect server has not answered, in real seconds; None where it answers."""
        return time.monotonic() - self._away_since if self._away else None

    def _every(self, seconds: float, part: Part, *, at_once: bool = True) -> Part:
        name = getattr(part, "__name__", repr(part))

        async def timed() -> int:
            now = time.monotonic()
            if now < self._next.get(name, 0.0 if at_once else self._began + seconds):
                return NOT_NOW
            self._next[name] = now + seconds
            return await part()

        return timed

    def _where_seen(self, name: str, part: Part) -> Part:
        """Return the part so that it runs only where the tick's one look for all parts found something to do."""

        async def done() -> int:
            async with self._looking:
                if time.monotonic() >= self._look_again:
                    self._seen = await self.box.read(_look)
                    self._look_again = time.monotonic() + self.tick_seconds / 2
            return await part() if name in self._seen else 0

        return done

    async def personal_messages(self) -> int:
        """Send the messages that no run sends; return how many were dealt with."""
        return await send_personal_messages(self.box)

    async def _settle_proofs(self) -> int:
        return 0 if not await self.box.read(proof.can_settle) else await self.box.write(proof.settle)

    async def _settle_disputes(self) -> int:
        """Let the rejection stand where nobody ruled on a dispute in time. An error in one dispute stops no other."""
        settled = 0
        for ident in await self.box.read(lambda session, now: disputes.overdue(session, now=now)):
            try:
                settled += await self.box.write(lambda session, now, one=ident: settle_in_silence(session, one, now=now))  # type: ignore[misc]
            except Exception:
                log.exception("dispute %s could not be settled; the others go on", ident)
        return settled

    async def _release(self) -> int:
        """Start leads that came in while no agreement was in force for them, once one is. Looks at all of them when another version
        comes into force, and from time to time."""
        rows = await self.box.read(lambda session, now: contracts.counting(session, now))
        counting, real = tuple(map(contracts.reference_of, rows)), time.monotonic()
        if counting == self._counting and real < self._release_again:
            return 0
        self._counting, self._release_again = counting, real + RELEASE_SECONDS
        return await release_held(self.box, only_without_agreement=True)

    async def _absences(self) -> int:
        return await hand_over_absences(self.box)

    async def _note_stalled(self) -> int:
        return await note_stalled(self.box)

    async def _fetch_leads(self) -> int:
        return await fetch_leads(self.box)

    async def _poll_feeds(self) -> int:
        return await poll_feeds(self.box)

    async def _enrol(self) -> int:
        return await enrol_leads(self.box)

    async def _seal(self) -> int:
        try:
            sealed = await seal_trail(self.box)
        except (HeadMissing, HeadsUnreadable) as refused:
            if str(refused) != self._refused:
                log.error("the trail is not sealed: %s", refused)
            self._refused = str(refused)
            return 0
        self._refused = ""
        return sealed

    async def _look_for_alarms(self) -> int:
        return await alarms.look(self.box, real=datetime.now(UTC))

    async def _count_weeks(self) -> int:
        return await count_weeks(self.box)

    async def _mail_head(self) -> int:
        to = self.box.settings.trail_mail_to
        return int(bool(to) and await self.box.write(lambda session, now: queue_head(session, to=to, now=now)))

    async def _take_waiting(self) -> int:
        return await read_crm.take_waiting(self.box)

    async def _read_crm_at_once(self) -> int:
        return await self._read_crm(read_crm.read_if_asked)

    async def _read_crm(self, read: Callable[[Toolbox], Awaitable[int]] = read_crm.read_crm) -> int:
        try:
            return await read(self.box)
        except CrmError as error:
            log.warning("the CRM could not be read; deadlines and answers go on: %s", error)
            return 0


def _look(session: Session, now: datetime) -> frozenset[str]:
    return due_check.look(session, now=now, real=datetime.now(UTC), personal_given_up=GIVEN_UP_AFTER)
