"""Measure how long it takes to commit an answer by link with ten thousand waits open: alone, and beside a busy process."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

from rich.console import Console
from rich.progress import track
from sqlmodel import Session

from agreements.lead import IncomingLead
from agreements.lifecycle import Stage
from benchmarks.ground import MONDAY, box_on, ground, percentile
from storage.tables import Assignment, Bookmark, Handoff, Lead, Wait, new_id
from tasks import intake
from tasks.replies import answering
from tasks.replies.opened_link import OpenedLink
from tasks.wiring.toolbox import Toolbox

WAITS, ANSWERS = 10_000, 1_000
#: The pause between two answers, and between two leads that the other process stores.
PAUSE_SECONDS, LOAD_PAUSE_SECONDS = 0.005, 0.02


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Compared with a bare transaction that writes one row, in the same database and run."""
    box = ground(folder)
    ids = [new_id() for _ in range(WAITS)]
    box.write_now(lambda session, now: fill(session, box, ids))
    bare, full = _answers(box, ids[:ANSWERS], console)
    yield from _rows("answer stored", full, bare)
    with _busy_process(folder):
        bare, full = _answers(box, ids[ANSWERS : 2 * ANSWERS], console)
    yield from _rows(f"answer stored while {1 / LOAD_PAUSE_SECONDS:.0f} leads a second come in", full, bare)


def _rows(what: str, full: list[float], bare: list[float]) -> Iterator[tuple[str, str, str, str]]:
    for percent in (50, 99):
        ours, theirs = percentile(full, percent), percentile(bare, percent)
        yield f"{what}, {percent} %", f"{ours * 1000:.1f} ms", f"one row written: {theirs * 1000:.1f} ms", f"{ours / theirs:.1f}"


def _answers(box: Toolbox, ids: list[str], console: Console) -> tuple[list[float], list[float]]:
    """Return the seconds for bare rows and for answers, measured in turns."""
    bare, full = [], []
    for ident in track(ids, description="answers", console=console, transient=True):
        token = box.links.for_tenure(ident).rpartition("/")[2]
        time.sleep(PAUSE_SECONDS)
        bare.append(_timed(box, partial(_write_one_row, name=ident)))
        time.sleep(PAUSE_SECONDS)
        full.append(_timed(box, partial(_answer, link=OpenedLink(box, token))))
    return bare, full


def store_answer(box: Toolbox, ident: str, *, pause_seconds: float) -> float:
    """Pause, accept the lead of this assignment through its link, and return how many seconds that took."""
    time.sleep(pause_seconds)
    return _timed(box, partial(_answer, link=OpenedLink(box, box.links.for_tenure(ident).rpartition("/")[2])))


def _timed(box: Toolbox, work: Callable[[Session, datetime], None]) -> float:
    start = time.perf_counter()
    box.write_now(work)
    return time.perf_counter() - start


def _write_one_row(session: Session, now: datetime, *, name: str) -> None:
    session.add(Bookmark(name=name))


def _answer(session: Session, now: datetime, *, link: OpenedLink) -> None:
    if not answering.answer(session, link, answering.SentForm("accepted", {}), now=now).won:
        raise RuntimeError("an answer to an open wait counts")


@contextmanager
def _busy_process(folder: Path) -> Iterator[None]:
    """Run another process that stores one lead after another in the same database."""
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_take_in, args=(folder, ready, stop), daemon=True)
    process.start()
    ready.wait(60)
    try:
        yield
    finally:
        stop.set()
        process.join(30)


def _take_in(folder: Path, ready: Event, stop: Event) -> None:
    box = box_on(folder)
    number = 0
    while not stop.wait(LOAD_PAUSE_SECONDS):
        number += 1
        incoming = IncomingLead(source_id=f"b{number}", email=f"b{number}@company{number}.example", company=f"Company {number}")
        box.write_now(partial(_capture, incoming=incoming))
        ready.set()


def _capture(session: Session, now: datetime, *, incoming: IncomingLead) -> None:
    intake.capture(session, incoming, now=now)


def fill(session: Session, box: Toolbox, ids: list[str]) -> None:
    """Store a lead with an open wait of a rep for each of these ids of assignments."""
    due = MONDAY + timedelta(hours=4)
    session.add_all(Lead(id=number, created_at=MONDAY) for number in range(1, len(ids) + 1))
    session.flush()
    for number, ident in enumerate(ids, 1):
        session.add(Handoff(id=number, lead_id=number, agreement="b2b-saas", version=1, stage=Stage.ASSIGNED, rep="ana", created_at=MONDAY))
        session.flush()
        session.add(Assignment(id=ident, handoff_id=number, lead_id=number, rep="ana", assigned_at=MONDAY, proven_at=MONDAY))
        wait = Wait(handoff_id=number, kind="acceptance", holder="ana", opened_at=MONDAY, due_at=due, promised_at=due, next_at=due)
        wait.assignment_id = ident
        session.add(wait)
