"""e: from a missed deadline to its stored answer and to the next message, with many deadlines in the same minute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from benchmarks.figures import spread
from benchmarks.progress import bar
from benchmarks.seeding import Waiting, make_due
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand

#: From now until the first deadline.
LEAD_TIME = timedelta(seconds=5)


def measure(stand: Stand, waiting: Sequence[Waiting], sizes: Sizes, *, open_waits: int) -> dict[str, Any]:
    """Measure the seconds from the due time of each wait until the onlooker sees the committed answer of the clock.

    waiting: the leads whose deadlines will pass; nobody has touched them. open_waits: the total number of waiting leads.
    """
    missed = Missed(stand, waiting, timedelta(seconds=sizes.due_within_seconds))
    limit = missed.last_due + sizes.stored_wait_seconds
    with stand.meter() as meter:
        before = meter.read()
        with bar(stand.console, "missed deadlines stored", total=sizes.due) as tell:
            while len(missed.stored) < sizes.due and time.monotonic() < limit:
                missed.look()
                tell(len(missed.stored))
                time.sleep(0.1)
        with bar(stand.console, "next messages out", total=sizes.due) as tell:
            while len(told := missed.told()) < sizes.due and time.monotonic() < missed.last_due + sizes.drain_seconds:
                tell(len(told))
                time.sleep(1)
        spent = meter.since(before)
    complete = len(told) == sizes.due
    return {
        "waiting": open_waits,
        "due": sizes.due,
        "due_within_seconds": sizes.due_within_seconds,
        "never_stored": sizes.due - len(missed.stored),
        "stored_seconds": spread(list(missed.stored.values())),
        "told": len(told),
        "told_seconds": spread(list(told.values()) if complete else []),
        "last_told_after_last_due_seconds": max(missed.told_at.values()) - missed.last_due if complete else None,
        "cpu_s": spent.cpu,
    }


class Missed:
    """Deadlines that pass. stored: seconds from due to stored, by handoff. told_at: when the next rep got a message."""

    def __init__(self, stand: Stand, waiting: Sequence[Waiting], within: timedelta) -> None:
        self.stand = stand
        self._newest = stand.onlooker.newest_answer()
        now = stand.box.read_now(lambda session, now: now)
        due = make_due(stand, waiting, first=now + LEAD_TIME, within=within)
        self.due = {handoff_id: stand.instant(at) for handoff_id, at in due.items()}
        self.last_due = max(self.due.values())
        self.stored: dict[int, float] = {}
        self.told_at: dict[int, float] = {}
        self._first = {one.assignment_id for one in waiting}

    def look(self) -> None:
        """Note which deadlines are stored by now."""
        found, now = self.stand.onlooker.deadline_answers(after=self._newest), time.monotonic()
        for _, handoff_id in found:
            if handoff_id in self.due:
                self.stored.setdefault(handoff_id, now - self.due[handoff_id])
        # Ids are given in order and committed nearly in order: looking 1,000 ids back finds those that were committed late.
        self._newest = max([self._newest, *(ident - 1_000 for ident, _ in found)])

    def told(self) -> dict[int, float]:
        """Return the seconds from due until the next rep got a message, by handoff, for those where that has happened."""
        arrived = self.stand.receivers.first_told()
        for assignment_id, handoff_id in self.stand.onlooker.assignments_of(self.due).items():
            if assignment_id in arrived and assignment_id not in self._first:
                self.told_at[handoff_id] = min(arrived[assignment_id], self.told_at.get(handoff_id, arrived[assignment_id]))
        return {handoff_id: at - self.due[handoff_id] for handoff_id, at in self.told_at.items()}
