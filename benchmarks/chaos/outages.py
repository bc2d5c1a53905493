"""The log of a chaos run: which part was down when. It explains late deadlines."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

#: How long the effects of an outage last: a lease has to run out (30 s), a part has to start.
AFTERMATH = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a part could not work, in real time. until: None while the outage lasts."""

    target: str
    kind: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leap:
    """A leap of the clock at a real instant, from one of Baton's instants to another."""

    real_at: datetime
    before: datetime
    after: datetime


@dataclass
class Outages:
    """Everything that went wrong. The killer writes it and the checks read it; safe for several threads."""

    leaps: list[Leap] = field(default_factory=list)
    skipped: int = 0
    _past: list[Outage] = field(default_factory=list)
    _present: dict[str, Outage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self, target: str, kind: str) -> None:
        """Note that the target is down from now on."""
        with self._lock:
            self._present[target] = Outage(target, kind, datetime.now(UTC))

    def end(self, target: str) -> None:
        """Note that the target works again."""
        with self._lock:
            begun = self._present.pop(target, None)
            if begun:
                self._past.append(Outage(begun.target, begun.kind, begun.since, datetime.now(UTC)))

    @contextmanager
    def during(self, target: str, kind: str) -> Iterator[None]:
        """Note that the target is down while the block runs."""
        self.begin(target, kind)
        try:
            yield
        finally:
            self.end(target)

    def is_down(self, target: str) -> bool:
        """Return whether the target is down now."""
        with self._lock:
            return target in self._present

    def all(self) -> list[Outage]:
        """Return every outage so far, oldest first."""
        with self._lock:
            return sorted([*self._past, *self._present.values()], key=lambda one: one.since)

    def counts(self) -> dict[str, int]:
        """Count the blows of each kind: "kill worker" -> times."""
        found = Counter(f"{one.kind} {one.target}" for one in self.all())
        found["leap of the clock"] = len(self.leaps)
        return dict(sorted(found.items()))

    def felt_between(self, since: datetime, until: datetime) -> list[Outage]:
        """Return the outages that lasted, or had effects, at some time between two real instants."""
        return [one for one in self.all() if one.since <= until and (one.until is None or one.until + AFTERMATH >= since)]
