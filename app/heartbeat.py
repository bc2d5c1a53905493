"""The worker's sign of life: a row that says when its clock ticked last, and whether it can reach the Prefect server."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from app.clock import Clock
from storage import worker_beats
from tasks.wiring.toolbox import Toolbox

log = logging.getLogger("baton.heartbeat")
#: How often a worker says that it lives, in seconds.
BEAT_SECONDS = 15.0


async def beating(box: Toolbox, clock: Clock, ended: asyncio.Event) -> None:
    """Say every BEAT_SECONDS that this worker lives, until `ended` is set. The row stays: it shows since when no worker is at work."""
    by = f"{socket.gethostname()}:{os.getpid()}"
    while not ended.is_set():
        try:
            await box.write(lambda session, now: _beat(session, by, clock))
        except Exception as error:
            log.warning("the worker cannot say that it lives; trying again: %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), BEAT_SECONDS)


def _beat(session: Session, by: str, clock: Clock) -> None:
    real, away = datetime.now(UTC), clock.seconds_away
    worker_beats.beat(
        session,
        by,
        real=real,
        ticked_at=real - timedelta(seconds=clock.seconds_since_tick),
        prefect_away_since=None if away is None else real - timedelta(seconds=away),
    )
