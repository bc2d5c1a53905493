"""d: from a click on the page to the stored answer, and to the next stage, with many waits open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from typing import Any

from benchmarks.figures import spread
from benchmarks.pace import paced
from benchmarks.people import Browser
from benchmarks.progress import track
from benchmarks.seeding import Waiting
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand

SEED = 7
#: How long the benchmark waits for the next stages after the last click, in seconds.
PATIENCE_SECONDS = 90


def measure(stand: Stand, waiting: Sequence[Waiting], sizes: Sizes, *, open_waits: int) -> dict[str, Any]:
    """Measure the seconds from the press of a button, over real HTTP. Stored: the page has answered, which it does after the commit.
    Resumed: the run has stored the handoff's next stage.

    waiting: leads that nobody has touched. open_waits: the total number of waiting leads.
    """
    chosen = Random(SEED).sample(list(waiting), sizes.clicks)
    browsers = {rep: Browser(stand.box, stand.stack.web_url, rep) for rep in sorted({one.rep for one in chosen})}
    for rep, browser in browsers.items():  # the first visit enrols the browser
        browser.open(next(one.assignment_id for one in waiting if one.rep == rep))
    clicks = Clicks(stand, browsers)
    with ThreadPoolExecutor(8) as pool, stand.meter() as meter:
        before = meter.read()
        numbers = paced(len(chosen), every=sizes.click_every_seconds, meanwhile=clicks.look)
        for number in track(numbers, total=len(chosen), description="clicks", console=stand.console):
            clicks.jobs.append(pool.submit(clicks.click, chosen[number]))
        until = time.monotonic() + PATIENCE_SECONDS
        while not clicks.all_resumed and time.monotonic() < until:
            clicks.look()
            time.sleep(0.05)
        spent = meter.since(before)
    for browser in browsers.values():
        browser.close()
    for job in clicks.jobs:
        job.result()
    return {
        "waiting": open_waits,
        "clicks": len(chosen),
        "every_seconds": sizes.click_every_seconds,
        "never_resumed": len(chosen) - len(clicks.resumed),
        "stored_seconds": spread(list(clicks.stored.values())),
        "resumed_seconds": spread(list(clicks.resumed.values())),
        "web_cpu_s_per_click": spent.cpu.get("web", 0.0) / len(chosen),
    }


class Clicks:
    """Clicks and their results. stored, resumed: seconds after the press, by handoff."""

    def __init__(self, stand: Stand, browsers: dict[str, Browser]) -> None:
        self.stand, self.browsers = stand, browsers
        self.jobs: list[Future[None]] = []
        self.pressed: dict[int, float] = {}
        self.stored: dict[int, float] = {}
        self.resumed: dict[int, float] = {}

    @property
    def all_resumed(self) -> bool:
        """Return whether every click has been sent and has led to the next stage."""
        return all(job.done() for job in self.jobs) and len(self.resumed) == len(self.jobs)

    def click(self, one: Waiting) -> None:
        """Open the page and press Accept."""
        browser = self.browsers[one.rep]
        url, values = browser.open(one.assignment_id)
        start = time.monotonic()
        self.pressed[one.handoff_id] = start
        browser.press(url, values, "accepted")
        self.stored[one.handoff_id] = time.monotonic() - start

    def look(self) -> None:
        """Note which leads have reached their next stage by now."""
        open_clicks = [ident for ident in list(self.pressed) if ident not in self.resumed]
        if open_clicks:
            standings, now = self.stand.onlooker.standings(open_clicks), time.monotonic()
            self.resumed |= {ident: now - self.pressed[ident] for ident, at in standings.items() if at.stage != "assigned"}
