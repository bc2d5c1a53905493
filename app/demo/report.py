"""The demo's report: the funnel from Baton's tables, and what can be seen from outside counted from outside."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from app.demo.chat_room import ChatRoom
from app.demo.director import Director
from app.demo.scanner import MARK
from app.stack import Stack
from storage import figures
from tasks.toolbox import Toolbox


def report(box: Toolbox, director: Director, room: ChatRoom) -> dict[str, Any]:
    """Everything as one JSON-ready mapping. Times in seconds of real time."""
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    inside = asdict(found)
    inside["sla"] = {name: {"kept": one.kept, "missed": one.missed} for name, one in found.sla.items()}
    inbox = director.inbox
    outside = {
        "messages_received": len(inbox.messages()) + len(room.posts),
        "messages_repeated": sum(times - 1 for times in inbox.repeated_keys().values()) + room.repeated(),
        "scanner_requests": _scanner_requests(director.stack),
        "changes_by_scanner": director.scanner.changes if director.scanner else 0,
        "tracebacks": tracebacks(director.stack),
        "server_errors": server_errors(director.stack),
        "longest_stall_s": round(director.longest_stall_seconds, 1),
        "restarted": director.restarted,
    }
    return inside | outside


def _access(stack: Stack) -> list[dict[str, Any]]:
    lines = []
    for line in _lines(stack.parts["web"].log):
        start = line.find("{")
        if start >= 0 and '"status"' in line:
            lines.append(json.loads(line[start:]))
    return lines


def _scanner_requests(stack: Stack) -> int:
    return sum(MARK in str(line.get("user_agent", "")) for line in _access(stack))


def tracebacks(stack: Stack) -> int:
    """How often any process of the stack wrote a traceback."""
    return sum(line.count("Traceback (most recent call last)") for part in stack.parts.values() for line in _lines(part.log))


def server_errors(stack: Stack) -> int:
    """5xx of Baton's pages, and how often the Prefect server failed one of Baton's parts after the client's own retries."""
    pages = sum(int(line.get("status", 0)) >= 500 for line in _access(stack))
    prefect = sum("Prefect server does not answer" in line for name in ("clock", "worker") for line in _lines(stack.parts[name].log))
    return pages + prefect


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
