"""Measure a scrape of /metrics and a look for alarms with more and more leads, a tenth of them open, and with all of them open."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from sqlalchemy import insert, update
from sqlmodel import Session, SQLModel, col

from agreements.words import ChannelName
from app import metrics
from app.web.health import measured
from benchmarks.ground import MONDAY, ground
from storage.tables import Activity, Delivery, Handoff, Lead, Wait
from tasks.background import alarms
from tasks.wiring.toolbox import Toolbox

SIZES = (10_000, 100_000)
SOURCES, TIMES, ONE_OPEN_IN = 20, 7, 10
_AT_ONCE = 1_000
_OVER: tuple[ChannelName, ...] = ("email", "crm")


def measure(folder: Path, console: Console, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. Each is compared with the first, which has the fewest leads."""
    box, made, first = ground(folder), 0, {"scrape": 0.0, "look": 0.0}
    for size in sizes:
        for begin in range(made + 1, size + 1, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, size + 1))
            box.write_now(lambda session, now, numbers=numbers: write(session, numbers))  # type: ignore[misc]
        made = size
        yield from _rows(box, f"{size:,} leads, {size // ONE_OPEN_IN:,} of them open", first)
    box.write_now(lambda session, now: open_all(session))
    yield from _rows(box, f"{made:,} leads, all of them open", first)


def _rows(box: Toolbox, leads: str, first: dict[str, float]) -> Iterator[tuple[str, str, str, str]]:
    real = MONDAY.timestamp()
    for name, work in (
        ("scrape", lambda: metrics.text_of(measured(box, real))),
        ("look", lambda: box.read_now(lambda session, now: alarms.find(session, now=now, real=now))),
    ):
        seconds = _median(work)
        first[name] = first[name] or seconds
        yield (
            f"a {name}: {leads}",
            f"{1000 * seconds:.0f} ms",
            f"with the fewest leads: {1000 * first[name]:.0f} ms",
            f"{seconds / first[name]:.1f}",
        )


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def write(session: Session, numbers: range) -> None:
    """Write the rows of leads with these numbers."""
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {table: [] for table in (Lead, Activity, Handoff, Wait, Delivery)}
    for number in numbers:
        _lead(rows, number)
    for table, values in rows.items():
        session.execute(insert(table), values)


#: The columns of each table as they usually are; each row changes some.
_USUAL: dict[type[SQLModel], dict[str, Any]] = {
    Lead: Lead(created_at=MONDAY).model_dump(),
    Activity: Activity(lead_id=0, key="", kind="form_submitted", at=MONDAY, received_at=MONDAY).model_dump(exclude={"id"}),
    Handoff: Handoff(lead_id=0, agreement="b2b-saas", rep="ana", created_at=MONDAY).model_dump(),
    Wait: Wait(
        handoff_id=0, kind="acceptance", holder="ana", opened_at=MONDAY, due_at=MONDAY, promised_at=MONDAY, next_at=MONDAY
    ).model_dump(),
    Delivery: Delivery(key="", channel="email", message="assigned", person="ana", send_at=MONDAY).model_dump(exclude={"id"}),
}


def _lead(rows: dict[type[SQLModel], list[dict[str, Any]]], number: int) -> None:
    """One lead of the last four weeks: its activity, its handoff with a wait, and two messages about it."""
    at, is_open = MONDAY - timedelta(seconds=24 * number), number % ONE_OPEN_IN == 0
    due, source, ended = MONDAY + timedelta(seconds=number), f"source-{number % SOURCES}", None if is_open else at
    stage = "assigned" if is_open else "disqualified"
    times = {"opened_at": at, "due_at": due, "promised_at": due, "next_at": due, "closed_at": ended}
    mine: list[tuple[type[SQLModel], dict[str, Any]]] = [
        (Lead, {"id": number, "company": f"Company {number}", "source": source, "created_at": at}),
        (Activity, {"lead_id": number, "key": str(number), "source": source, "at": at, "received_at": at}),
        (Handoff, {"id": number, "lead_id": number, "stage": stage, "created_at": at, "ended_at": ended}),
        (Wait, {"id": f"wait-{number}", "handoff_id": number, **times}),
    ]
    for channel in _OVER:
        told = {"key": f"{number}:{channel}", "handoff_id": number, "channel": channel, "send_at": at, "sent_at": at}
        mine.append((Delivery, {**told, "state": "confirmed"}))
    for table, changes in mine:
        rows[table].append(_USUAL[table] | changes)


def open_all(session: Session) -> None:
    """Open every lead again."""
    session.execute(update(Handoff).values(stage="assigned", ended_at=None))
    session.execute(update(Wait).where(col(Wait.closed_at).is_not(None)).values(closed_at=None))
