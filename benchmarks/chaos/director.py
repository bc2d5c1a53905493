"""The director of a chaos run: that of the demo, who waits when he cannot look because the database is away."""

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
    """Nothing moves although everything is up."""


class PatientDirector(Director):
    """Looks again and again at a database that is away. Its looks block: who breaks things has a thread of their own."""

    last: Situation | None = None

    def now(self) -> datetime:
        return patiently(super().now)

    def situation(self) -> Situation:
        self.last = patiently(super().situation)
        return self.last

    async def run_on(self, *, look: Callable[[], None], at_rest: Callable[[], bool] = lambda: False) -> None:
        """Do the same as run, and go on after an error of a database that went away."""
        while True:
            try:
                await self.run(look=look, at_rest=at_rest)
                return
            except DBAPIError:
                time.sleep(LOOK_AGAIN_SECONDS)


def patiently(ask: Callable[[], T]) -> T:
    """Asks until the database answers. Raises its error when it stays away."""
    until = time.monotonic() + GIVEN_UP_AFTER_SECONDS
    while True:
        try:
            return ask()
        except DBAPIError:
            if time.monotonic() > until:
                raise
            time.sleep(LOOK_AGAIN_SECONDS)
