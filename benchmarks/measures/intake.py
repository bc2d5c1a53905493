"""Measure how long it takes to store a lead: person, activity, handoff, trail and wake in one transaction."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import track

from agreements.lead import IncomingLead
from benchmarks.ground import ground, percentile
from storage.tables import Bookmark
from tasks import intake
from tasks.wiring.toolbox import Toolbox

LEADS = 1_000


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Compared with a bare transaction that writes one row, in the same database and run."""
    box = ground(folder)
    bare, full = [], []
    for number in track(range(LEADS), description="leads", console=console, transient=True):
        incoming = IncomingLead(source_id=f"b{number}", email=f"b{number}@company{number}.example", company=f"Company {number}")
        start = time.perf_counter()
        _write_one_row(box, f"b{number}")
        middle = time.perf_counter()
        _take_in(box, incoming)
        bare.append(middle - start)
        full.append(time.perf_counter() - middle)
    ours, theirs = percentile(full, 50), percentile(bare, 50)
    yield "lead taken in, median", f"{ours * 1000:.1f} ms", f"one row written: {theirs * 1000:.1f} ms", f"{ours / theirs:.1f}"


def _write_one_row(box: Toolbox, name: str) -> None:
    box.write_now(lambda session, now: session.add(Bookmark(name=name)))


def _take_in(box: Toolbox, incoming: IncomingLead) -> None:
    box.write_now(lambda session, now: intake.capture(session, incoming, now=now))
