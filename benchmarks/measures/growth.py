"""h: whether leads, clicks and idling cost more the more leads are open."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from benchmarks.journeys import ONE_WAIT, travel
from benchmarks.measures import clicks, idle
from benchmarks.measures.throughput import WARM_UP, journey
from benchmarks.seeding import Seeder, Waiting
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand

CLICKS, IDLE_SECONDS = 30, 35


def measure(stand: Stand, sizes: Sizes) -> list[dict[str, Any]]:
    """Repeat the same small measures with more and more open leads, which are seeded in bulk."""
    travel(stand, ONE_WAIT, count=WARM_UP, at_once=WARM_UP)
    seeder, waiting = Seeder(stand), list[Waiting]()
    small, points = replace(sizes, clicks=CLICKS), []
    for wanted in sizes.growth:
        newest = seeder.seed(wanted - len(waiting))
        waiting += newest
        rests = idle.measure(stand, waiting=len(waiting), seconds=IDLE_SECONDS)
        leads = journey(stand, ONE_WAIT, sizes.growth_leads, sizes)
        clicked = clicks.measure(stand, newest, small, open_waits=len(waiting))
        points.append(
            {
                "open": len(waiting),
                "one_wait_leads_per_s": leads["leads_per_s"],
                "cpu_s_per_lead": leads["per_lead"]["cpu_s"],
                "statements_per_lead": leads["per_lead"]["statements"],
                "wrong_ends": leads["wrong_ends"],
                "click_stored_seconds": clicked["stored_seconds"],
                "click_resumed_seconds": clicked["resumed_seconds"],
                "idle_core_percent": rests["core_percent"],
                "memory_bytes": rests["memory_bytes"],
            }
        )
    return points
