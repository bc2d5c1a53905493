"""The clock: does each part of clock_parts.py when it is due, in a loop of its own."""

from __future__ import annotations

import asyncio
import logging
import time
from math import inf

from app.clock_parts import ASKS_PREFECT, MOVES, ClockParts, Part, look
from app.deadlines import Deadlines
from app.hand_over import HandOver
from app.prefect_runs import Engine, EngineAway
from app.repair import Repair
from tasks.background.personal_outbox import send_personal_messages
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.clock")
#: The longest pause before a part that keeps failing is tried again, in seconds.
LONGEST_PAUSE = 60.0


class Clock:
    """Does each part when it is due. Any number may run at once: every write is a compare-and-set, has a unique key, or locks its rows.

    hands_over: Prefect's own workers carry the runs out, so the clock hands wakes over to Prefect.
    """

    def __init__(self, box: Toolbox, engine: Engine, *, tick_seconds: float = 1.0, at_once: int = 1, hands_over: bool = True) -> None:
        self.box, self.tick_seconds = box, tick_seconds
        self.deadlines = Deadlines(box, engine, tick_seconds=tick_seconds)
        self.repair = Repair(box, engine)
        self.hand_over = HandOver(box, engine, at_once=at_once) if hands_over else None
        self._parts = ClockParts(box, self.deadlines, self.repair, self.hand_over)
        self._next: dict[str, float] = {}
        self._looking = asyncio.Lock()
        self._seen: frozenset[str] = frozenset()
        self._look_again = 0.0
        self._began = self._ticked = time.monotonic()
        self._away_since: float | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Tick until stop is set. No part waits for another one, and no error in one part ends it."""
        loops = [asyncio.create_task(self._again(stop, called, part)) for called, part in self._parts.by_name().items()]
        await asyncio.gather(*loops)

    async def _again(self, stop: asyncio.Event, called: str, part: Part) -> None:
        failures = 0
        while not stop.is_set():
            try:
                await self._do(called, part)
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
        """Do everything that is due now except the messages, one part after another; return how many things moved."""
        moved, self._look_again = 0, 0.0
        parts = self._parts.by_name()
        for called in (*MOVES, *(one for one in parts if one not in (*MOVES, "messages"))):
            if called in parts:
                done = await self._do(called, parts[called])
                moved += done if called in MOVES else 0
        return moved

    async def personal_messages(self) -> int:
        """Send the messages that no run sends; return how many were dealt with."""
        return await send_personal_messages(self.box)

    async def _do(self, called: str, part: Part) -> int:
        """Do the part if it is due; return how many things moved. Log once that the engine is away, and again when it goes away anew."""
        try:
            if not await self._is_due(called, part):
                return 0
            moved = await part.work()
        except EngineAway as error:
            if self._away_since is None:
                log.warning("the Prefect server does not answer; answers are stored and go on when it is back: %s", error)
                self._away_since = time.monotonic()
            return 0
        if moved >= ASKS_PREFECT.get(called, inf):
            self._away_since = None
        return moved

    async def _is_due(self, called: str, part: Part) -> bool:
        """Return whether the part's time has come, or whether the tick's one look for all parts found something for it."""
        now = time.monotonic()
        if part.every_seconds is None:
            async with self._looking:
                if time.monotonic() >= self._look_again:
                    self._seen = await self.box.read(look)
                    self._look_again = time.monotonic() + self.tick_seconds / 2
            return called in self._seen
        if now < self._next.get(called, 0.0 if part.at_once else self._began + part.every_seconds):
            return False
        self._next[called] = now + part.every_seconds
        return True

    @property
    def seconds_since_tick(self) -> float:
        """Return how long ago the clock last went through the deadlines, in real seconds."""
        return time.monotonic() - self._ticked

    @property
    def seconds_away(self) -> float | None:
        """Return for how long the Prefect server has not answered, in real seconds; None where it answers."""
        return None if self._away_since is None else time.monotonic() - self._away_since
