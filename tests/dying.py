"""Attempts that die where a test says: nothing is cleaned up, and the lease stays until its time is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlmodel import col

from storage.tables import Handoff
from tasks.wiring.toolbox import Toolbox


class Died(BaseException):
    """The process is gone. No handler of errors sees this."""


def dies_at(where: str) -> Callable[[str], None]:
    """A fault that lets the process die at this point of an attempt."""

    def fault(here: str) -> None:
        if here == where:
            raise Died(where)

    return fault


def lives(here: str) -> None:
    """No fault."""


def leases_end(box: Toolbox) -> None:
    """Lets so much real time pass that every lease is over."""
    over = datetime.now(UTC) - timedelta(hours=1)
    ended = update(Handoff).where(col(Handoff.lease_until).is_not(None)).values(lease_until=over)
    box.write_now(lambda session, now: session.execute(ended))
