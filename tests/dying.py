"""Processes that die at a point that the test chooses: nothing is cleaned up, and the lease stays until it expires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlmodel import Session, col

from storage.tables import Handoff
from tasks.wiring.toolbox import SteppedTime, Toolbox


class Died(BaseException):
    """The process is gone. No error handler catches this."""


def dies_at(where: str) -> Callable[[str], None]:
    """Return a fault that kills the process at this point of an attempt."""

    def fault(here: str) -> None:
        if here == where:
            raise Died(where)

    return fault


def lives(here: str) -> None:
    """No fault."""


class MortalTime(SteppedTime):
    """A stepped time for a process that dies within its transaction of that number: each one reads the time once. lives: how many."""

    def __init__(self, at: datetime, *, lives: int) -> None:
        super().__init__(at)
        self.lives = lives

    def now(self, session: Session) -> datetime:
        """The present, while the process lives."""
        self.lives -= 1
        if self.lives < 0:
            raise Died("within a transaction")
        return super().now(session)


def leases_end(box: Toolbox) -> None:
    """End every lease, as if enough real time had passed."""
    over = datetime.now(UTC) - timedelta(hours=1)
    ended = update(Handoff).where(col(Handoff.lease_until).is_not(None)).values(lease_until=over)
    box.write_now(lambda session, now: session.execute(ended))
