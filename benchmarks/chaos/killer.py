"""The killer: a thread that carries out the plan against the running stack and repairs what it broke."""

from __future__ import annotations

import heapq
import itertools
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import DBAPIError

from benchmarks.chaos import plan
from benchmarks.chaos.cluster import Cluster
from benchmarks.chaos.crm import LockableCrm
from benchmarks.chaos.gate import OPEN, Gate
from benchmarks.chaos.outages import Leap, Outages
from benchmarks.chaos.plan import Blow
from benchmarks.chaos.supervised import Supervised
from storage import time_offset
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.chaos")
LOOK_SECONDS = 0.1


class Killer:
    """Strikes blow after blow until `end` is called. It skips a blow against a part that is down already.

    gates: the gates before the receivers, by the name of the target.
    """

    def __init__(
        self,
        blows: Iterator[Blow],
        stack: Supervised,
        box: Toolbox,
        *,
        gates: Mapping[str, Gate],
        crm: LockableCrm,
        cluster: Cluster | None,
    ) -> None:
        self.outages = Outages()
        self.dealt = 0
        self._blows, self._stack, self._box = blows, stack, box
        self._gates, self._crm, self._cluster = gates, crm, cluster
        self._mends: list[tuple[float, int, str, Callable[[], None]]] = []
        self._count = itertools.count()
        self._over = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="killer", daemon=True)

    def start(self) -> None:
        """Start striking."""
        self._thread.start()

    def end(self) -> None:
        """Repair everything and stop. Raises the error that stopped the killer itself, if any."""
        self._over.set()
        self._thread.join()
        if self._failed is not None:
            raise self._failed

    @property
    def is_at_work(self) -> bool:
        """Return whether blows may still come."""
        return not self._over.is_set() and self._thread.is_alive()

    def _run(self) -> None:
        began = time.monotonic()
        try:
            for blow in self._blows:
                if not self._wait_until(began + blow.at):
                    break
                self._deal(blow)
        except BaseException as error:  # end() raises it: a killer that failed has tested nothing
            self._failed = error
        finally:
            self._over.set()
            self._mend(until=float("inf"))

    def _wait_until(self, instant: float) -> bool:
        """Wait until then, and make the repairs that become due. Return False when the killer has to stop earlier."""
        while time.monotonic() < instant:
            self._mend(until=time.monotonic())
            if self._over.wait(LOOK_SECONDS):
                return False
        return not self._over.is_set()

    def _mend(self, *, until: float) -> None:
        while self._mends and self._mends[0][0] <= until:
            _, _, target, mend = heapq.heappop(self._mends)
            mend()
            self.outages.end(target)

    def _deal(self, blow: Blow) -> None:
        if self.outages.is_down(blow.target):
            self.outages.skipped += 1
            return
        self.dealt += 1
        log.info("%s %s for %.1f s", blow.kind, blow.target, blow.lasts)
        if blow.kind == plan.LEAP:
            self._leap(blow.ahead_minutes)
            return
        self.outages.begin(blow.target, blow.kind)
        mend = self._strike(blow)
        heapq.heappush(self._mends, (time.monotonic() + blow.lasts, next(self._count), blow.target, mend))

    def _strike(self, blow: Blow) -> Callable[[], None]:
        """Break the target, and return a function that repairs it."""
        if blow.target in self._gates:
            gate = self._gates[blow.target]
            gate.become(blow.kind)
            return lambda: gate.become(OPEN)
        if blow.target == plan.CRM:
            self._crm.lock()
            return self._crm.unlock
        if blow.target == plan.POSTGRESQL:
            assert self._cluster is not None, "the plan has blows for PostgreSQL only where there is one"
            (self._cluster.crash if blow.kind == plan.CRASH else self._cluster.stop)()
            return self._cluster.start
        return self._strike_part(blow.kind, blow.target)

    def _strike_part(self, kind: str, name: str) -> Callable[[], None]:
        if kind == plan.FREEZE:
            self._stack.send(name, signal.SIGSTOP)
            return lambda: self._stack.send(name, signal.SIGCONT)
        if kind == plan.KILL:
            self._stack.keep_down(name)
            return lambda: self._stack.let_up(name)
        with self._stack.lock:
            self._stack.parts[name].stop()
        return lambda: self._stack.let_up(name)

    def _leap(self, minutes: int) -> None:
        real, ahead = datetime.now(UTC), timedelta(minutes=minutes)
        try:
            before = self._box.read_now(lambda session, now: now)
            self._box.write_now(lambda session, now: time_offset.leap_to(session, now + ahead))
        except DBAPIError:  # the database is down now
            self.outages.skipped += 1
            return
        self.outages.leaps.append(Leap(real, before, before + ahead))
