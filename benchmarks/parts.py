"""Parts: which measures run on which stand, and the figures that are compared from run to run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.figures import ratio
from benchmarks.measures import (
    answers,
    audit,
    beside_dbos,
    burst,
    clicks,
    deadlines,
    first_message,
    growth,
    idle,
    intake,
    list_import,
    overview,
    review,
    routing,
    scrape,
    start,
    throughput,
    time_of_leads,
    trail,
    trial,
    verifying,
)
from benchmarks.postgresql import Cluster
from benchmarks.seeding import Seeder
from benchmarks.sizes import Sizes
from benchmarks.stand import Stand, stand

#: The choices of --only, with a description.
PARTS = {
    "a": "leads a second, beside Prefect's own worker and beside DBOS",
    "b": "what a lead costs, by process",
    "c": "from inquiry to the first message, at one lead a second",
    "d": "from a click to the stored answer and to the next stage",
    "e": "from a missed deadline to its stored answer and the next message",
    "f": "hot leads in a burst",
    "g": "idle with many leads waiting",
    "h": "growth from few open leads to many",
    "storage": "answers, intake and backtest, without a server",
    "audit": "a million leads and three million activities audited, without a server",
    "trail": "a million events proven, without a server",
    "verify": "baton verify and verify --crm with 100,000 open leads, without a server",
    "import": "100,000 rows imported, and answers beside them, without a server",
    "routing": "who gets 100,000 leads, over 200 reps, without a server",
    "metrics": "a scrape of /metrics and a look for alarms with 100,000 leads, without a server",
    "overview": "the page with all open leads, 100,000 of them, without a server",
    "review": "a review of 100,000 leads with its page, without a server",
    "time": "where the time of 100,000 leads went, summed, without a server",
    "start": "processor time of short commands, without a server",
}


@dataclass
class Run:
    """One run of some parts. found: results by measure. failed: what went wrong, in words."""

    console: Console
    cluster: Cluster | None
    sizes: Sizes
    chosen: Collection[str]
    dbos_python: str = ""
    found: dict[str, Any] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def everything(self) -> None:
        """Run the chosen parts, each group on its own stand."""
        if self._wants("abcf"):
            self._on_stand(self._empty)
        if self._wants("deg"):
            self._on_stand(self._waiting)
        if self._wants("a"):
            self._on_stand(lambda up: self._measure("stock", lambda: throughput.stock(up, self.sizes)), stock=True)
            self._measure("dbos", lambda: beside_dbos.measure(self.console, self.cluster, self.sizes, python=self.dbos_python))
        if self._wants("h") and self.sizes.growth:
            self._on_stand(lambda up: self._measure("growth", lambda: growth.measure(up, self.sizes)))
        if "storage" in self.chosen:
            self._storage(answers.measure, intake.measure, trial.measure)
        if "audit" in self.chosen:
            self._storage(audit.measure)
        if "trail" in self.chosen:
            self._storage(trail.measure)
        if "verify" in self.chosen:
            self._storage(verifying.measure)
        if "import" in self.chosen:
            self._storage(list_import.measure)
        if "routing" in self.chosen:
            self._storage(routing.measure)
        if "metrics" in self.chosen:
            self._storage(scrape.measure)
        if "overview" in self.chosen:
            self._storage(overview.measure)
        if "review" in self.chosen:
            self._storage(review.measure)
        if "time" in self.chosen:
            self._storage(time_of_leads.measure)
        if "start" in self.chosen:
            self._storage(start.measure)

    def _wants(self, letters: str) -> bool:
        return bool(set(letters) & set(self.chosen))

    def _on_stand(self, work: Callable[[Stand], None], *, stock: bool = False) -> None:
        with ExitStack() as ending:
            try:
                up = ending.enter_context(stand(self.console, self.cluster, stock=stock))
            except Exception as error:
                self._fail("the stack", error)
                return
            work(up)

    def _empty(self, up: Stand) -> None:
        """Run the measures that need a stand without waiting leads."""
        if self._wants("ab"):
            self._measure("throughput", lambda: throughput.own(up, self.sizes))
        if self._wants("c"):
            self._measure("first_message", lambda: first_message.measure(up, self.sizes))
        if self._wants("f"):
            self._measure("burst", lambda: burst.measure(up, self.sizes))

    def _waiting(self, up: Stand) -> None:
        """Run the measures that need a stand with thousands of waiting leads."""
        waiting = self._measure("seeding", lambda: Seeder(up).seed(self.sizes.waiting), keep=False) or []
        if not waiting:
            return
        if self._wants("g"):
            self._measure("idle", lambda: idle.measure(up, waiting=len(waiting), seconds=self.sizes.idle_seconds))
        due, rest = waiting[: self.sizes.due], waiting[self.sizes.due :]
        if self._wants("d"):
            self._measure("clicks", lambda: clicks.measure(up, rest, self.sizes, open_waits=len(waiting)))
        if self._wants("e"):
            self._measure("deadlines", lambda: deadlines.measure(up, due, self.sizes, open_waits=len(waiting)))

    def _storage(self, *measures: Callable[[Path, Console], Iterable[tuple[str, ...]]]) -> None:
        rows = self.found.setdefault("storage", [])
        for measure in measures:
            with tempfile.TemporaryDirectory() as folder:
                rows += [list(row) for row in measure(Path(folder), self.console)]

    def _measure(self, name: str, measure: Callable[[], Any], *, keep: bool = True) -> Any:
        began = time.monotonic()
        try:
            found = measure()
        except Exception as error:  # a measure that fails must not lose the results of the others
            self._fail(name, error)
            return None
        self.console.print(f"{name} measured in {time.monotonic() - began:.0f} s")
        if keep:
            self.found[name] = found
            self.failed += [f"{name}: {one}" for one in wrong_in(found)]
        return found

    def _fail(self, name: str, error: Exception) -> None:
        self.failed.append(f"{name}: {type(error).__name__}: {error}")
        self.console.print(f"{name} failed: {type(error).__name__}: {error}", style="red", markup=False)


def wrong_in(found: Any) -> list[str]:
    """Return everything in these results that did not end or happen as it must."""
    if isinstance(found, list):
        return [one for part in found for one in wrong_in(part)]
    if not isinstance(found, dict):
        return []
    here = [str(one) for one in found.get("wrong_ends", [])] + ([str(found["error"])] if "error" in found else [])
    missing = [f"{name}: {value}" for name, value in found.items() if name.startswith("never_") and value]
    return here + missing + [one for part in found.values() if isinstance(part, dict | list) for one in wrong_in(part)]


def summary(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that are compared from run to run, None for those not measured. Names end in their unit."""
    leads, wait = _at(parts, "throughput", "to_opportunity"), _at(parts, "throughput", "one_wait")
    stock, cost = _at(parts, "stock", "one_wait"), _at(parts, "throughput", "to_opportunity", "per_lead")
    stored, due = _at(parts, "clicks", "stored_seconds"), _at(parts, "deadlines", "stored_seconds")
    stored_p99 = stored.get("p99")
    return {
        "leads_per_s": leads.get("leads_per_s"),
        "one_wait_leads_per_s": wait.get("leads_per_s"),
        "stock_leads_per_s": _at(parts, "stock", "to_opportunity").get("leads_per_s"),
        "stock_one_wait_leads_per_s": stock.get("leads_per_s"),
        "ratio": ratio(wait.get("leads_per_s"), stock.get("leads_per_s")),
        "dbos_one_wait_leads_per_s": _at(parts, "dbos").get("leads_per_s"),
        "ratio_to_dbos": ratio(wait.get("leads_per_s"), _at(parts, "dbos").get("leads_per_s")),
        "cpu_s_per_lead": cost.get("cpu_s"),
        "transactions_per_lead": cost.get("transactions"),
        "statements_per_lead": cost.get("statements"),
        "prefect_calls_per_lead": cost.get("prefect_calls"),
        "first_message_p50_s": _at(parts, "first_message", "seconds").get("p50"),
        "first_message_p95_s": _at(parts, "first_message", "seconds").get("p95"),
        "click_stored_p99_ms": 1000 * stored_p99 if stored_p99 is not None else None,
        "click_resumed_p95_s": _at(parts, "clicks", "resumed_seconds").get("p95"),
        "deadline_stored_p99_s": due.get("p99"),
        "last_next_message_s": _at(parts, "deadlines").get("last_told_after_last_due_seconds"),
        "hot_in_burst_p99_s": _at(parts, "burst", "hot_seconds").get("p99"),
        "idle_core_percent": _at(parts, "idle").get("core_percent"),
        "idle_memory_bytes": _at(parts, "idle").get("memory_bytes"),
        "waiting": next((found["waiting"] for name in ("idle", "clicks", "deadlines") if (found := _at(parts, name))), None),
    }


def _at(parts: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    for name in names:
        parts = parts.get(name) or {}
    return parts
