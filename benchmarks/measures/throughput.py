"""a, b: leads a second from inquiry to opportunity and through one wait, and the cost of a lead, on Baton's worker and on Prefect's."""

from __future__ import annotations

from typing import Any

from benchmarks.journeys import ONE_WAIT, TO_OPPORTUNITY, Journey, travel
from benchmarks.progress import bar
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand

#: Leads that go first and are not measured: they load imports, fill caches and open connections.
WARM_UP, STOCK_WARM_UP = 4, 2


def own(stand: Stand, sizes: Sizes) -> dict[str, Any]:
    """Measure both journeys on Baton's own worker."""
    travel(stand, TO_OPPORTUNITY, count=WARM_UP, at_once=WARM_UP)
    return {
        "to_opportunity": journey(stand, TO_OPPORTUNITY, sizes.leads, sizes),
        "one_wait": journey(stand, ONE_WAIT, sizes.leads, sizes),
    }


def stock(stand: Stand, sizes: Sizes) -> dict[str, Any]:
    """Measure one wait on Prefect's own worker with each limit, and from inquiry to opportunity with the best limit."""
    by_limit: dict[int, dict[str, Any]] = {}
    for limit in sizes.stock_limits:
        stand.start_stock_worker(limit)
        travel(stand, ONE_WAIT, count=STOCK_WARM_UP, at_once=STOCK_WARM_UP)
        by_limit[limit] = journey(stand, ONE_WAIT, sizes.stock_leads, sizes)
    best = max(by_limit, key=lambda limit: by_limit[limit]["leads_per_s"])
    each = {str(limit): one for limit, one in by_limit.items()}
    found: dict[str, Any] = {"one_wait": by_limit[best], "best_limit": best, "one_wait_by_limit": each}
    if sizes.stock_to_opportunity:
        stand.start_stock_worker(best)
        travel(stand, ONE_WAIT, count=STOCK_WARM_UP, at_once=STOCK_WARM_UP)
        found["to_opportunity"] = journey(stand, TO_OPPORTUNITY, sizes.stock_leads, sizes)
    return found


def journey(stand: Stand, way: Journey, count: int, sizes: Sizes) -> dict[str, Any]:
    """Carry leads on this journey, and return the results and what they cost."""
    with bar(stand.console, way.name, total=count) as tell, stand.meter() as meter:
        before = meter.read()
        crowd = travel(stand, way, count=count, at_once=sizes.at_once, add_for_seconds=sizes.add_for_seconds, tell=tell)
        spent = meter.since(before)
    return {
        "leads": len(crowd.leads),
        "at_once": sizes.at_once,
        "seconds": crowd.seconds,
        "leads_per_s": crowd.a_second,
        "wrong_ends": crowd.wrong,
        "per_lead": spent.per_lead(len(crowd.leads)),
    }
