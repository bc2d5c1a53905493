"""Measure the page with all open leads, for marketing and for a manager, with 100,000 open leads, and the count of their week."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from rich.console import Console
from sqlalchemy import text
from sqlmodel import Session

from app.review.week_counting import count_weeks
from app.web.site import create_site
from benchmarks.ground import MONDAY, ground
from benchmarks.measures import scrape
from benchmarks.measures.trial import peak
from storage import devices
from tasks.wiring.toolbox import Toolbox

OPEN, TIMES, AT_ONCE = 100_000, 7, 1_000
#: The readers, and what each chooses.
READERS = ("mina", "maria")
CHOICES = ("", "stage=working", "rep=ana", "campaign=campaign3", "source=source-3&stage=working", "month=2027-01", "stage=stuck")
_COOKIE = "a-browser-of-the-benchmark"


def measure(folder: Path, console: Console, count: int = OPEN) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Each is compared with the whole page without a choice."""
    box = ground(folder)
    for begin in range(1, count + 1, AT_ONCE):
        numbers = range(begin, min(begin + AT_ONCE, count + 1))
        box.write_now(lambda session, now, numbers=numbers: scrape.write(session, numbers))  # type: ignore[misc]
    box.write_now(lambda session, now: _spread(session))
    began, processor = time.perf_counter(), time.process_time()
    if asyncio.run(count_weeks(box)) != 1:
        raise RuntimeError("the week was not counted")
    counted, used = time.perf_counter() - began, time.process_time() - processor
    for person in READERS:
        taken = asyncio.run(_taken(box, person))
        for choice, seconds in taken.items():
            what = f"all open leads, {count:,}, for {person}: {choice or 'no choice'}"
            yield what, f"{1000 * seconds:.0f} ms", f"without a choice: {1000 * taken['']:.0f} ms", f"{seconds / taken['']:.1f}"
    what, against = f"the week so far counted, {count:,} open leads", f"a manager's page without a choice: {1000 * taken['']:.0f} ms"
    yield what, f"{counted:.1f} s ({used:.1f} s of processor), {peak() / 1e6:.0f} MB", against, f"{counted / taken['']:.1f}"


def _spread(session: Session) -> None:
    """Open all leads, and spread them over stages, reps and campaigns."""
    scrape.open_all(session)
    stage = "CASE id % 4 WHEN 0 THEN 'mql' WHEN 1 THEN 'assigned' WHEN 2 THEN 'accepted' ELSE 'working' END"
    rep = "CASE id % 3 WHEN 0 THEN 'ana' WHEN 1 THEN 'ben' ELSE 'cleo' END"
    session.execute(text(f"UPDATE handoffs SET version = 1, stage = {stage}, rep = {rep}"))
    session.execute(text("UPDATE leads SET campaign = 'campaign' || (id % 40)"))


async def _taken(box: Toolbox, person: str) -> dict[str, float]:
    """The median time of each choice in seconds, at the site itself, in a browser that is known as the reader's."""
    link = box.links.for_person(person, at=MONDAY).removeprefix("http://baton")
    known = devices.hash_of(_COOKIE + person)
    box.write_now(lambda session, now: devices.remember(session, known, person, level=devices.ENROLLED, now=now))
    inside, cookies, taken = httpx.ASGITransport(app=create_site(box)), {"baton_device": _COOKIE + person}, {}
    async with httpx.AsyncClient(transport=inside, base_url="http://baton", cookies=cookies) as browser:
        for choice in CHOICES:
            times = []
            for _ in range(TIMES):
                began = time.perf_counter()
                page = await browser.get(f"{link}/leads?{choice}")
                times.append(time.perf_counter() - began)
                if page.status_code != httpx.codes.OK:
                    raise RuntimeError(f"the page answered {page.status_code}")
            taken[choice] = statistics.median(times)
    return taken
