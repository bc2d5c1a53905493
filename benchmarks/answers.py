"""How long it takes until an answer is stored for good, with ten thousand waits open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import track
from sqlmodel import Session

from benchmarks.ground import MONDAY, ground, percentile
from storage import waits
from storage.tables import Bookmark, Handoff, Lead, Wait, new_id

WAITS, ANSWERS = 10_000, 1_000


def measure(folder: Path, console: Console) -> Iterator[tuple[str, str, str, str]]:
    """Rows: what, figure, against, ratio. Against a bare transaction that writes one row, in the same database and run."""
    box = ground(folder)
    ids = [new_id() for _ in range(WAITS)]
    box.write_now(lambda session, now: _fill(session, ids))
    bare, full = [], []
    for number in track(range(ANSWERS), description="answers", console=console, transient=True):
        bare.append(_timed(lambda number=number: box.write_now(lambda session, now: session.add(Bookmark(name=f"b{number}")))))  # type: ignore[misc]
        full.append(_timed(lambda number=number: box.write_now(lambda session, now: _answer(session, ids[number], now))))  # type: ignore[misc]
    for percent in (50, 99):
        ours, theirs = percentile(full, percent), percentile(bare, percent)
        yield f"answer stored, {percent} %", f"{ours * 1000:.1f} ms", f"one row written: {theirs * 1000:.1f} ms", f"{ours / theirs:.1f}"


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _answer(session: Session, wait_id: str, now: datetime) -> None:
    waits.answer(session, wait_id, "accepted", by="ana", via="link", now=now)


def _fill(session: Session, ids: list[str]) -> None:
    due = MONDAY + timedelta(hours=4)
    session.add_all(Lead(id=number, created_at=MONDAY) for number in range(1, len(ids) + 1))
    session.flush()
    session.add_all(Handoff(id=number, lead_id=number, stage="assigned", created_at=MONDAY) for number in range(1, len(ids) + 1))
    session.flush()
    for number, wait_id in enumerate(ids, 1):
        session.add(
            Wait(id=wait_id, handoff_id=number, kind="acceptance", holder="ana", opened_at=MONDAY, due_at=due, promised_at=due, next_at=due)
        )
