"""Measure an import of 100,000 rows into SQLite: its time, how long it holds the write lock, and an answer by link stored beside it."""

from __future__ import annotations

import csv
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from sqlmodel import Session

from app.csv_import.file import read_leads
from app.csv_import.importing import import_leads, keep_for_good
from benchmarks.ground import MONDAY, box_on, ground, percentile
from benchmarks.measures.answers import fill, store_answer
from storage.tables import new_id
from tasks.wiring.toolbox import Toolbox

T = TypeVar("T")
ROWS, LIMIT_SECONDS = 100_000, 300
#: Answers measured alone, and beside the import; and the pause between two.
ALONE, BESIDE, PAUSE_SECONDS = 500, 2_000, 0.02
HOLD_LIMIT_MS, ANSWER_LIMIT_MS = 100, 50
_COLUMNS = ("source", "source_id", "conversion_id", "email", "first_name", "last_name", "company", "job_title", "country", "activity")


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Times are compared with the limits, and an answer beside the import with one alone."""
    box, file = ground(folder), folder / "list.csv"
    _write(file)
    ids = [new_id() for _ in range(ALONE + BESIDE)]
    box.write_now(lambda session, now: fill(session, box, ids))
    alone = [store_answer(box, ident, pause_seconds=PAUSE_SECONDS) for ident in ids[:ALONE]]
    context = multiprocessing.get_context("spawn")
    begun, ended = context.Event(), context.Event()
    process = context.Process(target=_import, args=(folder, file, begun, ended), daemon=True)
    process.start()
    begun.wait(120)
    beside = []
    for ident in track(ids[ALONE:], description="answers beside an import", console=console, transient=True):
        if ended.is_set():
            break
        beside.append(store_answer(box, ident, pause_seconds=PAUSE_SECONDS))
    process.join()
    found = json.loads((folder / "import.json").read_text())
    yield from _rows(found, alone, beside)


def _rows(found: dict[str, float], alone: list[float], beside: list[float]) -> Iterator[tuple[str, str, str, str]]:
    figure = f"{found['seconds']:.0f} s ({found['processor']:.0f} s of processor)"
    yield f"{ROWS:,} rows imported", figure, f"limit {LIMIT_SECONDS} s", f"{found['seconds'] / LIMIT_SECONDS:.2f}"
    for name, percent in (("hold_50", "50 %"), ("hold_99", "99 %"), ("hold_most", "longest")):
        held = 1000 * found[name]
        yield f"write lock held by the import, {percent}", f"{held:.0f} ms", f"limit {HOLD_LIMIT_MS} ms", f"{held / HOLD_LIMIT_MS:.2f}"
    for percent_ in (50, 99):
        ours, theirs = 1000 * percentile(beside, percent_), 1000 * percentile(alone, percent_)
        against = f"alone: {theirs:.1f} ms, limit {ANSWER_LIMIT_MS} ms"
        yield f"answer stored beside the import, {percent_} % of {len(beside):,}", f"{ours:.1f} ms", against, f"{ours / theirs:.1f}"


def _write(file: Path) -> None:
    """Write people whom nobody knows, each at a company of two hundred thousand."""
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(_COLUMNS)
        for number in range(ROWS):
            company = f"company{number // 2}"
            person = (f"kim.{number}@{company}.example", "Kim", f"Berg {number}", company, "Operations Manager", "GB")
            rows.writerow(("list", f"row-{number}", f"row-{number}", *person, "webinar_attended"))


class _Timed(Toolbox):
    """A toolbox that notes how long each of its transactions held the write lock, in seconds."""

    held: list[float]

    def write_now(self, work: Callable[[Session, datetime], T]) -> T:
        began = 0.0

        def noted(session: Session, now: datetime) -> T:
            nonlocal began
            began = time.perf_counter()  # the lock is held from here on
            return work(session, now)

        done = super().write_now(noted)
        self.held.append(time.perf_counter() - began)
        return done


def _import(folder: Path, file: Path, begun: Event, ended: Event) -> None:
    plain = box_on(folder)
    box = _Timed(plain.settings, plain.database, plain.crm, plain.channels, plain.links, plain.time)
    box.held = []
    read = read_leads(file, mapping=None, today=MONDAY)
    keep_for_good()
    begun.set()
    began, processor = time.perf_counter(), time.process_time()
    import_leads(box, read, hold=False, actor="bench")
    taken = {"seconds": time.perf_counter() - began, "processor": time.process_time() - processor}
    ended.set()
    holds = {"hold_50": percentile(box.held, 50), "hold_99": percentile(box.held, 99), "hold_most": max(box.held)}
    (folder / "import.json").write_text(json.dumps({**taken, **holds}))
