"""The report: show the results of a run as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import sizing
from benchmarks.figures import ratio
from benchmarks.meter import DATABASE
from benchmarks.parts import summary


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print everything that was measured."""
    facts, parts = results["facts"], results["parts"]
    versions = ", ".join(f"{name} {value}" for name, value in facts["versions"].items() if value)
    console.print(f"\n{facts['cores']} cores ({facts['processor']}), {facts['database']}; {versions}", highlight=False)
    if facts["quick"]:
        console.print("A quick run: fewer leads and shorter waits than in a full one; the sizes stand in the JSON.")
    _print(console, "Leads", ("what", "figure", "beside", "ratio"), _throughput(parts))
    _print(console, "What a lead costs, from inquiry to opportunity", ("what", "a lead"), _costs(parts))
    _print(console, "How soon", ("what", "p50", "p95", "p99", "of"), _delays(parts))
    _print(console, "At rest", ("what", "figure"), _idle(parts))
    _print(console, "Growth", ("open", "leads/s, one wait", "CPU-s a lead", "statements", "click stored p50", "idle"), _growth(parts))
    _print(console, "Storage and starts, without a server", ("what", "figure", "against", "ratio"), iter(parts.get("storage", [])))
    if _has_costs(parts):
        heading, *rows = sizing.table(sizing.Costs.of(results))
        _print(console, "Cores", heading, iter(rows))
        console.print(sizing.arithmetic(sizing.Costs.of(results)), highlight=False)
    for one in results["failed"]:
        console.print(f"failed: {one}", style="red", markup=False)


def _print(console: Console, title: str, heading: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> None:
    table = Table(*heading, title=title, title_justify="left")
    for row in rows:
        table.add_row(*row)
    if table.row_count:
        console.print(table)


def _has_costs(parts: Mapping[str, Any]) -> bool:
    per_lead = parts.get("throughput", {}).get("to_opportunity", {}).get("per_lead", {})
    return "server" in per_lead.get("cpu_s_by_process", {})


def _number(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}{unit}" if abs(value) >= 100 else f"{value:.3g}{unit}"


def _throughput(parts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    own, stock, dbos = parts.get("throughput", {}), parts.get("stock", {}), parts.get("dbos", {})
    for name, words in (("to_opportunity", "inquiry to opportunity"), ("one_wait", "one wait, one answer")):
        if name in own:
            ours, theirs = own[name]["leads_per_s"], stock.get(name, {}).get("leads_per_s")
            beside = f"stock worker, limit {stock['best_limit']}: {_number(theirs)}" if theirs else "–"
            yield words, f"{_number(ours)} leads/s", beside, _number(ratio(ours, theirs))
    if "leads_per_s" in dbos:
        ours, theirs = own.get("one_wait", {}).get("leads_per_s"), dbos["leads_per_s"]
        yield "one wait, one answer", f"{_number(ours)} leads/s", f"DBOS: {_number(theirs)}", _number(ratio(ours, theirs))
    elif "skipped" in dbos:
        yield "one wait, one answer", "", dbos["skipped"], ""


def _costs(parts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if "throughput" not in parts:
        return
    cost = parts["throughput"]["to_opportunity"]["per_lead"]
    yield "processor time, all that counts", _number(cost["cpu_s"], " s")
    for name, value in cost["cpu_s_by_process"].items():
        yield f"  {name}", f"{value:.3f} s"
    for name in ("transactions", "statements", "prefect_calls"):
        yield name.replace("_", " "), _number(cost[name])
    for path, number in list(cost["prefect_calls_by_path"].items())[:12]:
        yield f"  {path}", f"{number:.2f}"


def _delays(parts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    named = (
        ("first_message", "seconds", "inquiry to first message, one lead a second"),
        ("clicks", "stored_seconds", "click to stored"),
        ("clicks", "resumed_seconds", "click to next stage"),
        ("deadlines", "stored_seconds", "missed deadline to stored"),
        ("deadlines", "told_seconds", "missed deadline to next rep told"),
        ("burst", "hot_seconds", "hot lead in a burst, to first message"),
    )
    for part, field, words in named:
        found = parts.get(part, {})
        if field in found and found[field]["count"]:
            open_waits = f", {found['waiting']:,} waiting" if "waiting" in found else ""
            values = [_number(found[field].get(f"p{percent}"), " s") for percent in (50, 95, 99)]
            yield words + open_waits, *values, f"{found[field]['count']:,}"
    if parts.get("deadlines", {}).get("last_told_after_last_due_seconds") is not None:
        yield "until the last next message is out", _number(parts["deadlines"]["last_told_after_last_due_seconds"], " s"), "", "", ""


def _idle(parts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    if found := parts.get("idle"):
        yield f"of one core, {found['waiting']:,} waiting", _number(found["core_percent"], " %")
        memory = found["memory_bytes_by_process"]
        for name, value in found["core_percent_by_process"].items():
            yield f"  {name}", f"{value:.1f} %" + (f", {memory[name] / 1e6:,.0f} MB" if name in memory else "")
        if DATABASE in memory:
            yield f"  {DATABASE}", f"{memory[DATABASE] / 1e6:,.0f} MB"
        first, *_, last = found["memory_bytes_by_minute"]
        yield "memory", f"{last / 1e6:,.0f} MB, {first / 1e6:,.0f} MB {found['seconds'] / 60:.0f} minutes before"


def _growth(parts: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for one in parts.get("growth", []):
        yield (
            f"{one['open']:,}",
            _number(one["one_wait_leads_per_s"]),
            _number(one["cpu_s_per_lead"]),
            _number(one["statements_per_lead"]),
            _number(one["click_stored_seconds"]["p50"], " s"),
            _number(one["idle_core_percent"], " %"),
        )


def figures(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the JSON file: the compared figures first, then all results."""
    return {**summary(results["parts"]), **results}
