"""How far the demo is, and how long it still takes: by the lines of the trail, which come at an even pace."""

from __future__ import annotations

import time

from sqlalchemy import func
from sqlmodel import select

from storage.tables import Event
from tasks.wiring.toolbox import Toolbox

#: Seconds until the parts are up, and seconds for one line of the trail, both on two idle cores.
START_SECONDS, LINE_SECONDS = 15, 0.125
#: Lines of the trail that one row of leads comes to, and the leads that are left waiting at the end.
LINES_A_ROW, LINES_OF_FINALE = 22, 130
#: The pace of this machine is known after so many lines; until then it is that of two idle cores.
KNOWN_AFTER = 60


class Progress:
    """How far the demo is. rows: how many rows of leads it plays; finale: whether something is left waiting after them."""

    def __init__(self, rows: int, *, finale: bool) -> None:
        self.lines = rows * LINES_A_ROW + (LINES_OF_FINALE if finale else 0)
        self._began = 0.0

    def at_the_start(self) -> str:
        """How long all of it takes on two idle cores, in words."""
        return _words(START_SECONDS + self.lines * LINE_SECONDS)

    def left(self, box: Toolbox) -> str:
        """How long it still takes at the pace so far, in words. The first call is the beginning."""
        now = time.monotonic()
        self._began = self._began or now
        done = box.read_now(lambda session, at: session.exec(select(func.count()).select_from(Event)).one())
        pace = (now - self._began) / done if done > KNOWN_AFTER else LINE_SECONDS
        return f"{_words(max(0.0, self.lines - done) * pace)} left"


def _words(seconds: float) -> str:
    if seconds < 50:
        return f"about {max(10, round(seconds, -1)):.0f} seconds"
    minutes = round(seconds / 60)
    return f"about {minutes} minute{'' if minutes == 1 else 's'}"
