"""The demo's report: the funnel from Baton's tables, and everything visible from outside, counted from outside."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from app.demo.chat_room import ChatRoom
from app.demo.director import Director
from app.demo.doors import doors
from app.demo.inbox.inbox import Inbox
from app.demo.scanner import MARK
from app.demo.start_page import StartPage
from app.demo.waiting import Card
from app.stack import Stack
from storage import figures, message_counts
from tasks.wiring.toolbox import Toolbox


def report(box: Toolbox, director: Director, room: ChatRoom) -> dict[str, Any]:
    """Return the report as one JSON-ready mapping. Times in seconds of real time."""
    found = box.read_now(lambda session, now: figures.figures(session, now=now))
    inside = asdict(found)
    inside["sla"] = {name: {"kept": one.kept, "missed": one.missed} for name, one in found.sla.items()}
    inside["doors"] = box.read_now(lambda session, now: doors(session)).as_report()
    inbox = director.inbox
    outside = {
        "messages_received": len(inbox.messages()) + len(room.posts),
        "messages_per_person_day": message_counts.summary(per_person_day(inbox, room)),
        "messages_repeated": sum(times - 1 for times in inbox.repeated_keys().values()) + room.repeated(),
        "scanner_requests": _scanner_requests(director.stack),
        "changes_by_scanner": director.scanner.changes if director.scanner else 0,
        "tracebacks": tracebacks(director.stack),
        "server_errors": server_errors(director.stack),
        "longest_stall_s": round(director.longest_stall_seconds, 1),
        "restarted": director.restarted,
    }
    return inside | outside


def waiting(start: StartPage) -> dict[str, dict[str, Any]]:
    """Return what waits for the visitor, by its kind: who has to act on what, and on which pages."""
    return {card.case.kind: _waiting(start, card) for card in start.cards() if card.is_open}


def _waiting(start: StartPage, card: Card) -> dict[str, Any]:
    doors = [{"message": f"{start.inbox.url}/m/{door.message}", "page": door.page} for door in card.doors]
    about = {"company": card.case.company, "lead": card.case.lead_id, "agreement": card.case.reference}
    return {
        "person": card.person,
        "due_at": card.due_at.isoformat() if card.due_at else None,
        "doors": doors,
        **{name: value for name, value in about.items() if value},
    }


def per_person_day(inbox: Inbox, room: ChatRoom) -> Counter[tuple[str, date]]:
    """Return the messages in the inbox and in the chat room, counted by recipient and day of arrival.

    The room does not name recipients: a post belongs to the person and day of the mail about the same message.
    """
    counts: Counter[tuple[str, date]] = Counter()
    about: dict[str, tuple[str, date]] = {}
    for message in inbox.messages():
        for recipient in message.recipients:
            counts[recipient, message.at.date()] += 1
            about.setdefault(message.key.partition(":")[0], (recipient, message.at.date()))
    counts.update(about[post.key.partition(":")[0]] for post in room.posts if post.key.partition(":")[0] in about)
    return counts


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
    """Return how often any process of the stack wrote a traceback."""
    return sum(line.count("Traceback (most recent call last)") for part in stack.parts.values() for line in _lines(part.log))


def server_errors(stack: Stack) -> int:
    """Return 5xx answers of Baton's pages, plus failures of the Prefect server towards Baton's parts after the client's own retries."""
    pages = sum(int(line.get("status", 0)) >= 500 for line in _access(stack))
    prefect = sum("Prefect server does not answer" in line for line in _lines(stack.parts["worker"].log))
    return pages + prefect


def _lines(path: Path) -> list[str]:
    return path.read_text(errors="replace").splitlines() if path.exists() else []
