"""Measure how long it takes to sum where the time of 100,000 leads went, compared with reading the same rows and doing nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from agreements.lifecycle import Stage
from agreements.words import About, AnswerKind, WaitKind
from benchmarks.ground import MONDAY, ground
from benchmarks.measures.trial import peak
from storage import contracts, life_rows, lives, trail
from storage.tables import Activity, Answer, Assignment, Event, Handoff, Lead, Wait

SIZES = (10_000, 100_000)
#: Events for each lead: as many as a lead has that is worked to its end.
A_LEAD = 16
#: The days over which the leads came.
DAYS = 365
#: The waits of a lead that is worked to its end: clock, what it is about, and how many minutes it takes at most.
WAITS: tuple[tuple[WaitKind, About, int], ...] = (
    ("delivery", "proof", 5),
    ("acceptance", "acceptance", 600),
    ("first_attempt", "first_attempt", 1_500),
    ("outcome", "outcome", 20_000),
)


def measure(folder: Path, console: Console, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. One database grows. A quarter of the leads is in nurture."""
    box, dice, made = ground(folder), Random(7), 0
    for size in sizes:
        numbers = range(made + 1, size + 1, lives.AT_ONCE)
        for first in track(numbers, description=f"{size:,} leads", console=console, transient=True):
            leads = range(first, min(first + lives.AT_ONCE, size + 1))
            box.write_now(lambda session, now, leads=leads: _write(session, leads, dice))  # type: ignore[misc]
        made, now = size, MONDAY + timedelta(days=DAYS)
        began = time.perf_counter()
        with box.database.read() as session:
            rows = sum(len(life_rows.read(session, range(n, n + lives.AT_ONCE)).waits) for n in range(1, size + 1, lives.AT_ONCE))
        theirs = time.perf_counter() - began
        began, processor = time.perf_counter(), time.process_time()
        with box.database.read() as session:
            parts = lives.sums(session, since=MONDAY, until=now, now=now)
        ours, used = time.perf_counter() - began, time.process_time() - processor
        began = time.perf_counter()
        with box.database.read() as session:
            lives.sums(session, since=now - timedelta(days=7), until=now, now=now)
        week = time.perf_counter() - began
        if rows != size or not all(parts[party] for party in ("source", "scoring", "rep", "closed hours", "nurture")):
            raise RuntimeError(f"the leads were not all summed: {rows:,} leads, {parts}")
        what = f"the time of {size:,} leads summed by party"
        figure = f"a year: {ours:.1f} s ({used:.1f} s of processor), its last week: {week:.1f} s, {peak() / 1e6:.0f} MB"
        yield what, figure, f"their rows read: {theirs:.1f} s", f"{ours / theirs:.1f}"


def _write(session: Session, leads: range, dice: Random) -> None:
    """Write the rows of these leads, with the events about them."""
    tables: tuple[type[SQLModel], ...] = (Lead, Activity, Handoff, Assignment, Wait, Answer, Event)
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {table: [] for table in tables}
    agreed = contracts.in_force(session, MONDAY, {})
    for number in leads:
        for row in _lead(number, agreed.hash, dice):
            rows[type(row)].append(row.model_dump(exclude={"id"} if isinstance(row, Activity | Event) else set()))
    for table, values in rows.items():
        session.execute(insert(table), values)


def _lead(number: int, hash: str, dice: Random) -> Iterator[SQLModel]:
    at = MONDAY + timedelta(minutes=dice.randrange(DAYS * 1_200))
    qualified = at + timedelta(seconds=30)
    handoff = Handoff(id=number, lead_id=number, agreement="b2b-saas", version=1, hash=hash, stage=Stage.OPPORTUNITY, created_at=at)
    yield Lead(id=number, company=f"Company {number}", created_at=at)
    yield Activity(lead_id=number, key=f"{number}", kind="demo_requested", at=at - timedelta(minutes=2), received_at=at)
    tenure = Assignment(handoff_id=number, lead_id=number, rep=dice.choice(("ana", "ben", "cleo")), assigned_at=qualified)
    yield tenure
    opened = qualified
    for place, (kind, about, minutes) in enumerate(WAITS):
        closed, answer = opened + timedelta(minutes=dice.randrange(1, minutes)), number * len(WAITS) + place
        wait = _wait(handoff, kind, about, opened, closed, holder=tenure.rep, assignment_id=tenure.id, answer_id=answer)
        yield wait
        said: AnswerKind = "accepted"
        yield Answer(
            id=answer, wait_id=wait.id, handoff_id=number, kind=said, by="ana", via="link", answered_at=closed, effective_at=closed
        )
        opened = closed
    handoff.mql_at, handoff.ended_at = qualified, opened
    if number % 4 == 0:
        handoff.stage = Stage.NURTURING
        yield _wait(handoff, "revisit", "revisit", opened, None, holder="marketing")
    yield handoff
    for _ in range(A_LEAD):
        yield trail.line("rescored", now=at, handoff=handoff, actor="baton")


def _wait(handoff: Handoff, kind: WaitKind, about: About, opened: Any, closed: Any, **more: Any) -> Wait:
    times = {"opened_at": opened, "due_at": opened, "promised_at": opened, "next_at": opened, "closed_at": closed}
    return Wait(handoff_id=handoff.id, kind=kind, about=about, **times, **more)
