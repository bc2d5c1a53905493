"""Measure `baton verify` and `baton verify --crm` with 100,000 open leads."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from sqlalchemy import text

from app.verifying import leads as leads_check
from benchmarks.ground import ground
from benchmarks.measures import trail
from benchmarks.measures.trial import peak
from tasks.background.compare_crm import compare_crm
from tasks.wiring.toolbox import Toolbox

SIZES = (10_000, 100_000)
_AT_ONCE = 500
#: The leads of the benchmark of the trail with the agreement, what the intake recorded about them, and the CRM instead of the chat.
_MORE = (
    "UPDATE handoffs SET owner = 'ana', rep = 'ana', agreement = 'b2b-saas', version = 1, hash = (SELECT hash FROM agreement_versions)"
    " WHERE agreement = ''",
    "UPDATE deliveries SET channel = 'crm' WHERE channel = 'chat'",
    "INSERT INTO activities (lead_id, key, kind, at, received_at, source, path, campaign, brought_by, repeated)"
    " SELECT id, 'activity-' || id, 'form_submitted', created_at, created_at, '', '', '', '', 0 FROM leads"
    " WHERE id > (SELECT count(*) FROM activities)",
)
_IN_CRM = "INSERT INTO lead_fields (number, field, value) VALUES (?, 'owner', 'ana')"


def measure(folder: Path, console: Console, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. One database grows; each figure is compared with that of the fewest leads."""
    box, made, first = ground(folder), 0, dict[str, float]()
    for size in sizes:
        _fill(box, folder, range(made + 1, size + 1), console)
        made = size
        for name, work in (("verify --no-runs", partial(_verified, box)), ("verify --crm", partial(_compared, box, made))):
            seconds, used = _timed(work)
            first.setdefault(name, used)
            figure = f"{seconds:.1f} s ({used:.1f} s of processor), {peak() / 1e6:.0f} MB"
            yield f"baton {name}, {size:,} open leads", figure, f"with the fewest leads: {first[name]:.1f} s", f"{used / first[name]:.1f}"


def _fill(box: Toolbox, folder: Path, numbers: range, console: Console) -> None:
    starts = range(numbers.start, numbers.stop, _AT_ONCE)
    for begin in track(starts, description=f"{numbers.stop - 1:,} leads", console=console, transient=True):
        leads = range(begin, min(begin + _AT_ONCE, numbers.stop))
        box.write_now(lambda session, now, leads=leads: trail.write(session, leads))  # type: ignore[misc]
    box.write_now(lambda session, now: [session.execute(text(statement)) for statement in _MORE])
    with closing(sqlite3.connect(folder / "crm.db")) as crm, crm:
        crm.executemany(_IN_CRM, [(number,) for number in numbers])


def _verified(box: Toolbox) -> None:
    """Do what `baton verify --no-runs` does, except the proof of the trail, which has a part of its own."""
    found = leads_check.check(box, told=lambda what, done: None)
    if found.findings or not found.open:
        raise RuntimeError(f"the leads are not whole: {found.findings[:3]}")


def _compared(box: Toolbox, count: int) -> None:
    found = asyncio.run(compare_crm(box))
    if found.findings or found.leads != count:
        raise RuntimeError(f"{found.leads} leads were compared: {found.findings[:3]}")


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    """Return the seconds that this took, and those of processor time."""
    began, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - processor
