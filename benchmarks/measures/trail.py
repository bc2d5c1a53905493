"""Measure how long it takes to verify a trail of a million events and their rows, compared with the script that verifies an export."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from agreements.words import ChannelName, EventKind
from benchmarks.ground import MONDAY, ROOT, ground
from storage import trail, trail_export, trail_lines
from storage.tables import Answer, Assignment, Delivery, Event, Handoff, Lead, Wait
from tasks.wiring.toolbox import Toolbox

SIZES = (100_000, 1_000_000)
#: Events for each lead.
A_LEAD = 10
_LEADS_AT_ONCE = 500
_SEALS_AT_ONCE = 200


def measure(folder: Path, console: Console, sizes: tuple[int, ...] = SIZES) -> Iterator[tuple[str, str, str, str]]:
    """Yield rows: what, figure, against, ratio. One database grows, and is sealed as the clock seals it."""
    box, made = ground(folder), 0
    for size in sizes:
        numbers = range(made + 1, size // A_LEAD + 1, _LEADS_AT_ONCE)
        for first in track(numbers, description=f"{size:,} events", console=console, transient=True):
            leads = range(first, min(first + _LEADS_AT_ONCE, size // A_LEAD + 1))
            box.write_now(lambda session, now, leads=leads: write(session, leads))  # type: ignore[misc]
        made = size // A_LEAD
        while box.write_now(lambda session, now: _seal(session, box)):
            continue
        began, processor = time.perf_counter(), time.process_time()
        with box.database.read() as session:
            found = trail.check(session, key=box.settings.seal_key(), now=MONDAY + timedelta(days=1))
        ours, used = time.perf_counter() - began, time.process_time() - processor
        if not found.whole:
            raise RuntimeError(f"the trail is not whole: {found.findings[:3]}")
        theirs = _script(box, folder)
        what = f"{found.sealed:,} events and their rows proven"
        yield what, f"{ours:.1f} s ({used:.1f} s of processor)", f"events alone, by the script: {theirs:.1f} s", f"{ours / theirs:.1f}"


def write(session: Session, leads: range) -> None:
    """Write the rows of these leads and the events about them."""
    rows: dict[type[SQLModel], list[dict[str, Any]]] = {table: [] for table in (Lead, Handoff, Assignment, Wait, Answer, Delivery)}
    events: list[Event] = []
    for number in leads:
        events += _lead(rows, number)
    for table, values in rows.items():
        session.execute(insert(table), values)
    trail.write(session, events)


_OVER: tuple[ChannelName, ...] = ("email", "chat")


def _lead(rows: dict[type[SQLModel], list[dict[str, Any]]], number: int) -> list[Event]:
    at, due = MONDAY, MONDAY + timedelta(hours=4)
    lead, handoff = Lead(id=number, company=f"Company {number}", created_at=at), Handoff(id=number, lead_id=number, created_at=at)
    assignment = Assignment(handoff_id=number, lead_id=number, rep="ana", assigned_at=at)
    proof, wait = (
        Wait(handoff_id=number, kind=kind, holder="ana", opened_at=at, due_at=due, promised_at=due, next_at=due)
        for kind in ("delivery", "acceptance")
    )
    proof.closed_at = at
    answer = Answer(id=number, wait_id=wait.id, handoff_id=number, kind="accepted", by="ana", via="link", answered_at=at, effective_at=at)
    taken: dict[str, Any] = {
        "message": "assigned",
        "person": "ana",
        "state": "confirmed",
        "send_at": at,
        "sent_at": at,
        "handoff_id": number,
    }
    channels: tuple[ChannelName, ...] = ("email", "chat")
    letters = [
        Delivery(id=2 * number + side, key=f"{number}:{channel}", channel=channel, proof=f"250 OK {number}", **taken)
        for side, channel in enumerate(channels)
    ]
    for row in (lead, handoff, assignment, proof, wait, answer, *letters):
        rows[type(row)].append(row.model_dump())
    promise = trail_lines.instant(due)
    opened = {"holder": "ana", "due": promise, "promise": promise}
    about: list[tuple[EventKind, str, dict[str, Any]]] = [
        ("captured", "baton", {"cause": "inquiry", "held": False}),
        ("qualified", "baton", {"score": 70, "fit": 40, "engagement": 30, "was": "inquiry"}),
        ("documented", "baton", {"was": "mql"}),
        ("assigned", "baton", {"rep": "ana", "why": "next in turn", "number": 1, "assignment_id": assignment.id}),
        ("wait-opened", "baton", {"wait": "delivery", "wait_id": proof.id, **opened}),
        *(
            (
                "delivered",
                f"channel:{one.channel}",
                {
                    "message": "assigned",
                    "to": "ana",
                    "channel": one.channel,
                    "delivery_id": one.id,
                    "proof": trail_lines.of_proof(one.proof),
                    "counts_from": "",
                },
            )
            for one in letters
        ),
        ("wait-opened", "baton", {"wait": "acceptance", "wait_id": wait.id, **opened}),
        ("answered-accepted", "ana", {"wait": "acceptance", "via": "link", "answer_id": number, "wait_id": wait.id, "promise": promise}),
        ("accepted", "ana", {"via": "link", "on_time": True, "rep": "ana", "assignment_id": assignment.id}),
    ]
    assert len(about) == A_LEAD
    return [trail.line(kind, now=at, handoff=handoff, actor=actor, **data) for kind, actor, data in about]


def _seal(session: Session, box: Toolbox) -> int:
    """Write many seals in one transaction: here no other writer waits for it."""
    key = box.settings.seal_key()
    return sum(trail.seal(session, key=key, now=MONDAY) for _ in range(_SEALS_AT_ONCE))


def _script(box: Toolbox, folder: Path) -> float:
    """Return the seconds in which docs/verify_trail.py verifies an export of the same events."""
    file, key = folder / "trail.jsonl", folder / "key"
    key.write_bytes(box.settings.seal_key())
    with box.database.read() as session, file.open("w", encoding="utf-8") as out:
        out.writelines(f"{line}\n" for line in trail_export.lines(session))
    began = time.perf_counter()
    subprocess.run([sys.executable, str(ROOT / "docs/verify_trail.py"), str(file), str(key)], check=True, capture_output=True)
    return time.perf_counter() - began
