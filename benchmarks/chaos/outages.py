"""What was down when: the log of a chaos run, by which a late deadline is explained."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

#: So long after an outage its effects are still felt: a lease has to run out (30 s), a part has to start.
AFTERMATH = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Outage:
    """A part that could not work, in real time. until: None while it lasts."""

    target: str
    kind: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Leap:
    """The clock was set forward at a real instant, from one of Baton's instants to another."""

    real_at: datetime
    before: datetime
    after: datetime


@dataclass
class Outages:
    """Everything that went wrong. Written by the killer, read by the checks; safe between threads."""

    leaps: list[Leap] = field(default_factory=list)
    skipped: int = 0
    _past: list[Outage] = field(default_factory=list)
    _present: dict[str, Outage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def begin(self, target: str, kind: str) -> None:
        """The target is down from now on."""
        with self._lock:
            self._present[target] = Outage(target, kind, datetime.now(UTC))

    def end(self, target: str) -> None:
        """The target works again."""
        with self._lock:
            begun = self._present.pop(target, None)
            if begun:
                self._past.append(Outage(begun.target, begun.kind, begun.since, datetime.now(UTC)))

    @contextmanager
    def during(self, target: str, kind: str) -> Iterator[None]:
        """The target is down while the block runs."""
        self.begin(target, kind)
        try:
            yield
        finally:
            self.end(target)

    def is_down(self, target: str) -> bool:
        """Whether the target is down now."""
        with self._lock:
            return target in self._present

    def all(self) -> list[Outage]:
        """Every outage so far, the oldest first."""
        with self._lock:
            return sorted([*self._past, *self._present.values()], key=lambda one: one.since)

    def counts(self) -> dict[str, int]:
        """How often each kind of thing happened: "kill worker" -> times."""
        found = Counter(f"{one.kind} {one.target}" for one in self.all())
        found["leap of the clock"] = len(self.leaps)
        return dict(sorted(found.items()))

    def felt_between(self, since: datetime, until: datetime) -> list[Outage]:
        """The outages that were under way, or whose effects were felt, at some time between two real instants."""
        return [one for one in self.all() if one.since <= until and (one.until is None or one.until + AFTERMATH >= since)]
