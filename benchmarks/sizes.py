"""Sizes: how much each measure does in a full run and in a quick run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much a run measures. Fields that end in _seconds are seconds.

    leads, at_once, add_for_seconds: throughput. stock_leads, stock_limits: the same on Prefect's own worker, for each limit of
    concurrent runs. dbos_leads: the same with DBOS. first_messages: leads at one a second. waiting: leads that wait while clicks,
    deadlines and idling are measured. clicks, click_every_seconds: presses of a button. due, due_within_seconds: deadlines, and the
    time in which all of them pass. stored_wait_seconds, drain_seconds: the longest wait, after the last deadline, for the stored
    answers and for the next messages. burst, burst_hot, burst_within_seconds, hot_wait_seconds: a burst of leads, how many of
    them are hot, the time in which they come, and the longest wait for the hot messages. idle_seconds: length of the idle
    measure. growth: open leads at each point.
    """

    leads: int
    at_once: int
    add_for_seconds: float
    stock_leads: int
    stock_limits: tuple[int, ...]
    stock_to_opportunity: bool
    dbos_leads: int
    first_messages: int
    waiting: int
    clicks: int
    click_every_seconds: float
    due: int
    due_within_seconds: float
    stored_wait_seconds: float
    drain_seconds: float
    burst: int
    burst_hot: int
    burst_within_seconds: float
    hot_wait_seconds: float
    idle_seconds: float
    growth: tuple[int, ...]
    growth_leads: int


FULL = Sizes(
    leads=300,
    at_once=40,
    add_for_seconds=300,
    stock_leads=16,
    stock_limits=(2, 4, 8),
    stock_to_opportunity=True,
    dbos_leads=1_000,
    first_messages=180,
    waiting=10_000,
    clicks=200,
    click_every_seconds=1,
    due=2_000,
    due_within_seconds=60,
    stored_wait_seconds=300,
    drain_seconds=900,
    burst=2_000,
    burst_hot=100,
    burst_within_seconds=60,
    hot_wait_seconds=300,
    idle_seconds=1_200,
    growth=(100, 1_000, 10_000, 30_000),
    growth_leads=40,
)
QUICK = Sizes(
    leads=60,
    at_once=40,
    add_for_seconds=45,
    stock_leads=8,
    stock_limits=(4,),
    stock_to_opportunity=False,
    dbos_leads=200,
    first_messages=30,
    waiting=10_000,
    clicks=40,
    click_every_seconds=1,
    due=1_000,
    due_within_seconds=30,
    stored_wait_seconds=90,
    drain_seconds=0,
    burst=1_000,
    burst_hot=50,
    burst_within_seconds=30,
    hot_wait_seconds=60,
    idle_seconds=35,
    growth=(),
    growth_leads=0,
)
