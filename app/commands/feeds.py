"""Calendar feeds: when each was last read, and what is wrong with it."""

from __future__ import annotations

from datetime import datetime, timedelta

import typer
from rich.table import Table
from sqlmodel import Session

from app import terminal
from storage import feeds, roster
from storage.tables import CalendarFeed


def show() -> None:
    """Show the calendar feeds of the roster: when each was last read, how many absences it has, and why one cannot be read.

    Exit code 1 if a feed cannot be read. The address of a feed is a secret, so only its host is shown.
    """
    box = terminal.open_box()
    with terminal.told():
        failing = box.read_now(_show)
    if failing:
        raise typer.Exit(terminal.FINDINGS)


def _show(session: Session, now: datetime) -> int:
    people, rows = roster.current(session), {row.person: row for row in feeds.everybodys(session)}
    wanted = [ident for ident, person in people.people.items() if person.calendar_feed]
    if not wanted:
        terminal.console.print("Nobody in the roster has a calendar feed.")
        return 0
    table = Table("id", "name", "host", "last read", "absences", "problem")
    for ident in wanted:
        row = rows.get(ident)
        table.add_row(ident, people.name_of(ident), *(_cells(row, now) if row else ("", "not yet", "", "")))
    terminal.console.print(table)
    return sum(bool(row.problem) for ident, row in rows.items() if ident in wanted)


def _cells(row: CalendarFeed, now: datetime) -> tuple[str, str, str, str]:
    known = (_ago(now - row.good_at), str(row.absences)) if row.good_at else ("not yet", "")
    return row.host, *known, row.problem


def _ago(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"
