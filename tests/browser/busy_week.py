"""A company in the middle of a busy week: thirty leads of three campaigns, taken, refused, missed and under way, through the real steps."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

from app.demo.inbox.pages import PageServer
from app.review.week_counting import count_weeks
from app.web.site import create_site
from tasks.wiring.toolbox import SteppedTime, Toolbox
from tests.driver import Driver
from tests.stage import Taken, answer_by_link, capture

COMPANIES = (
    "Harbour & Sons", "Alder Freight", "Northwind Rail", "Kestrel Foods", "Larkspur Dental", "Mill Lane Cycles", "Orchard Hotels",
    "Pinewood Systems", "Quarry Bank Tools", "Redbrick Studios",
)  # fmt: skip
PEOPLE = ("Lee O'Hara", "Noor Haddad", "Jan de Vries", "Marta Lima", "Sam Whitfield", "Aiko Mori", "Tom Brandt")
CAMPAIGNS, SOURCES = ("autumn webinar", "price page", "field day"), ("website", "fair", "partner")


@contextmanager
def busy_week(box: Toolbox, time: SteppedTime) -> Iterator[str]:
    """The company on Wednesday afternoon, with the figures of its week counted; its site answers at this address until the block ends."""
    with ThreadPoolExecutor(1) as pool:  # Chromium keeps the event loop of the test's own thread
        pool.submit(lambda: asyncio.run(_live(box, time))).result()
    listener = socket.create_server(("127.0.0.1", 0))
    server = PageServer(create_site(box, real_time=lambda: time.at.timestamp()), listener)
    server.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        listener.close()


async def _live(box: Toolbox, time: SteppedTime) -> None:
    driver, monday = Driver(box, time), time.at
    for number in range(30):
        at = monday + timedelta(days=number // 12, minutes=25 * (number % 12))
        await driver.run(until=at)
        time.at = max(time.at, at)
        lead = _lead(box, number)
        await driver.settle()
        time.at += timedelta(minutes=12)
        await _answered(driver, box, lead, number)
    time.at += timedelta(minutes=20)
    await count_weeks(box)
    time.at += timedelta(minutes=7)
    await driver.settle()


def _lead(box: Toolbox, number: int) -> Taken:
    first, _, last = PEOPLE[number % len(PEOPLE)].partition(" ")
    company = COMPANIES[number % len(COMPANIES)]
    return capture(
        box,
        company=company,
        first_name=first,
        last_name=last,
        email=f"{first}{number}@{company.split()[0]}.example".lower(),
        campaign=CAMPAIGNS[number % 3],
        source=SOURCES[number // 2 % 3],
        source_id=f"busy{number}",
    )


async def _answered(driver: Driver, box: Toolbox, lead: Taken, number: int) -> None:
    """What its rep says: every sixth lead gets no answer, and every fifth is given back."""
    if number % 6 == 5:
        return
    if number % 5 == 4:
        answer_by_link(box, lead, "rejected", reason="not-now")
    else:
        answer_by_link(box, lead, "accepted", **({"wrong_next_step": "on"} if number % 7 == 1 else {}))
    await driver.settle()
    if number % 3 and number % 5 != 4:
        answer_by_link(box, lead, "attempted", channel="phone")
        await driver.settle()
