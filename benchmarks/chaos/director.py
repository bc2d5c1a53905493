"""The director of a chaos run: the demo's director, who also waits for a database that is down."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from app.demo.director import Director, Situation

T = TypeVar("T")
LOOK_AGAIN_SECONDS, GIVEN_UP_AFTER_SECONDS = 0.5, 300.0


class StandsStill(Exception):
    """Nothing moves although every part is up."""


class PatientDirector(Director):
    """Asks a database that is down again and again. These calls block the thread, so the killer runs in another one."""

    last: Situation | None = None

    def now(self) -> datetime:
        return patiently(super().now)

    def situation(self) -> Situation:
        self.last = patiently(super().situation)
        return self.last

    async def run_on(self, *, look: Callable[[], None], at_rest: Callable[[], bool] = lambda: False) -> None:
        """Do the same as run, and continue after an error of a database that went down."""
        while True:
            try:
                await self.run(look=look, at_rest=at_rest)
                return
            except DBAPIError:
                time.sleep(LOOK_AGAIN_SECONDS)


def patiently(ask: Callable[[], T]) -> T:
    """Ask until the database answers. Raises the database's error when it stays down."""
    until = time.monotonic() + GIVEN_UP_AFTER_SECONDS
    while True:
        try:
            return ask()
        except DBAPIError:
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN_SECONDS)
