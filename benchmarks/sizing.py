"""Sizing: calculate the cores for a number of leads a day from the cost of one lead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.meter import DATABASE, NOT_COUNTED

LEADS_A_DAY = (10_000, 100_000, 1_000_000)
#: The hours of a day in which leads come in, and how many more come in the busiest hour than on average.
BUSY_HOURS, PEAK = 10, 2.0
#: The share of a core that may be in use in the busiest hour, so that nothing queues for long.
USED = 0.6
#: How often a rep presses a button on a lead's page: to accept the lead, and to report the outcome.
CLICKS_A_LEAD = 2


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of processor time that one lead costs, for each part that could have its own machine."""

    server: float
    workers: float
    web: float
    database: float

    @classmethod
    def of(cls, results: Mapping[str, Any]) -> Costs:
        """Read the costs from the results of a run with parts a and b. Raises KeyError where these parts are missing.

        Processes other than Prefect's server, the web pages, the database and the benchmark's own count as workers.
        """
        spent = dict(results["parts"]["throughput"]["to_opportunity"]["per_lead"]["cpu_s_by_process"])
        database = sum(value for name, value in spent.items() if name.startswith(DATABASE))
        elsewhere = (*NOT_COUNTED, "server", "web")
        workers = sum(value for name, value in spent.items() if not name.startswith(DATABASE) and name not in elsewhere)
        click = results["parts"].get("clicks", {}).get("web_cpu_s_per_click") or 0.0
        return cls(spent["server"], workers, spent.get("web", 0.0) + CLICKS_A_LEAD * click, database)


def leads_a_second(leads_a_day: int) -> float:
    """Return leads a second in the busiest hour."""
    return leads_a_day / (BUSY_HOURS * 3600) * PEAK


def cores(leads_a_day: int, seconds_a_lead: float) -> float:
    """Return the cores that the busiest hour needs when each core is in use for the share USED of the time."""
    return leads_a_second(leads_a_day) * seconds_a_lead / USED


def whole(value: float) -> str:
    """Format cores as people order them: whole cores, or a tenth of a core where less than one is needed."""
    return f"{math.ceil(value)}" if value > 1 else f"{max(0.1, math.ceil(value * 10) / 10):.1f}"


def table(costs: Costs) -> list[tuple[str, ...]]:
    """Return rows: leads a day, leads a second at the peak, cores for server, workers, web pages and database. First the heading."""
    heading = ("leads a day", "a second at the peak", "Prefect server", "workers", "web pages", "database")
    each = (costs.server, costs.workers, costs.web, costs.database)
    rows = [(f"{day:,}", f"{leads_a_second(day):.1f}", *(whole(cores(day, seconds)) for seconds in each)) for day in LEADS_A_DAY]
    return [heading, *rows]


def arithmetic(costs: Costs) -> str:
    """Explain the table in words and numbers."""
    day = LEADS_A_DAY[1]
    return (
        f"One lead costs {costs.server:.3f} s of processor time on the Prefect server, {costs.workers:.3f} s on workers,"
        f" {costs.web:.3f} s on web pages ({CLICKS_A_LEAD} clicks a lead) and {costs.database:.3f} s in the database."
        f" Leads come within {BUSY_HOURS} hours, with {PEAK:g} times the average in the busiest hour. A core is in use for at most"
        f" {USED:.0%} of that hour. So {day:,} leads a day are {leads_a_second(day):.1f} a second at the peak, and the server needs"
        f" {leads_a_second(day):.1f} x {costs.server:.3f} / {USED:g} = {cores(day, costs.server):.1f} cores."
    )


def as_markdown(costs: Costs) -> str:
    """Return table and arithmetic as Markdown for the docs."""
    heading, *rows = table(costs)
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n\n" + arithmetic(costs)
