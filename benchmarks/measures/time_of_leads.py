"""Measure how long it takes to sum where the time of 100,000 leads went, compared with reading the same rows and doing nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
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
from storage import contracts, life_rows, lives
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
            box.write_now(lambda session, now, leads=leads: write(session, leads, dice))  # type: ignore[misc]
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


Row = dict[str, Any]


def write(session: Session, leads: range, dice: Random) -> None:
    """Write the rows of these leads, with the events about them."""
    rows: dict[type[SQLModel], list[Row]] = {table: [] for table in (Lead, Activity, Handoff, Assignment, Wait, Answer, Event)}
    agreed = contracts.in_force(session, MONDAY, {})
    for number in leads:
        for table, row in _lead(number, agreed.hash, dice):
            rows[table].append(row)
    for table, found in rows.items():
        session.execute(insert(table), found)


def _lead(number: int, hash: str, dice: Random) -> Iterator[tuple[type[SQLModel], Row]]:
    """The rows of a lead, in the order of their keys. They are values, since objects take ten times as long to make."""
    at = MONDAY + timedelta(minutes=dice.randrange(DAYS * 1_200))
    qualified, rep, tenure = at + timedelta(seconds=30), dice.choice(("ana", "ben", "cleo")), f"tenure-{number}"
    known, lead = {"handoff_id": number, "lead_id": number}, {"lead_id": number}
    waits = list(_waits(number, qualified, dice, holder=rep, assignment_id=tenure))
    ended = waits[-1]["closed_at"]
    stage = Stage.NURTURING if number % 4 == 0 else Stage.OPPORTUNITY
    if stage == Stage.NURTURING:
        waits.append(_wait(number, "revisit", "revisit", ended, holder="marketing", closed_at=None, answer_id=None))
    yield Lead, _blank(Lead, id=number, company=f"Company {number}", created_at=at)
    yield Activity, _blank(Activity, **lead, key=f"{number}", kind="form_submitted", at=at - timedelta(minutes=2), received_at=at)
    born = {"agreement": "b2b-saas", "version": 1, "hash": hash, "stage": stage, "created_at": at, "mql_at": qualified, "ended_at": ended}
    yield Handoff, _blank(Handoff, id=number, **lead, **born)
    yield Assignment, _blank(Assignment, id=tenure, **known, rep=rep, assigned_at=qualified, ended_at=ended)
    yield from ((Wait, row) for row in waits)
    for row in waits:
        if answer := row["answer_id"]:
            when = {"answered_at": row["closed_at"], "effective_at": row["closed_at"]}
            given: AnswerKind = "accepted"
            yield Answer, _blank(Answer, id=answer, wait_id=row["id"], handoff_id=number, kind=given, by=rep, via="link", **when)
    for _ in range(A_LEAD):
        yield Event, _blank(Event, **known, kind="rescored", at=at, recorded_at=at)


def _waits(number: int, opened: datetime, dice: Random, **more: str) -> Iterator[Row]:
    for place, (kind, about, minutes) in enumerate(WAITS):
        closed = opened + timedelta(minutes=dice.randrange(1, minutes))
        yield _wait(number, kind, about, opened, closed_at=closed, answer_id=number * len(WAITS) + place, **more)
        opened = closed


def _wait(number: int, kind: WaitKind, about: About, opened: datetime, **more: Any) -> Row:
    times = dict.fromkeys(("opened_at", "due_at", "promised_at", "next_at"), opened)
    return _blank(Wait, id=f"{kind}-{number}", handoff_id=number, kind=kind, about=about, **times, **more)


@cache
def _defaults(table: type[SQLModel]) -> Row:
    return table().model_dump(exclude={"id"})


def _blank(table: type[SQLModel], **given: Any) -> Row:
    """A row of this table with these values, and the defaults for the others."""
    return {**_defaults(table), **given}
