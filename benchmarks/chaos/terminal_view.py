"""Show a chaos run: a progress bar, or without a terminal a line now and then, and a table at the end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from storage.tables import Handoff

if TYPE_CHECKING:
    from benchmarks.chaos.run import Outcome, Run

EVERY_SECONDS, LINE_EVERY_SECONDS = 1.0, 15.0


class Screen:
    """The console of a run."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True) if console.is_terminal else None
        self._task = self._bar.add_task("leads") if self._bar else None
        self._next = self._next_line = 0.0

    def __enter__(self) -> Screen:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print one line that stays."""
        self.console.print(text, markup=False)

    def look(self, run: Run) -> None:
        """Show the progress of the run. It is called all the time, so it shows something only now and then."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        try:
            ended, now = run.ground.box.read_now(lambda session, now: (_ended(session), now))
        except DBAPIError:  # the database is down now; the next call shows more
            return
        down = ", ".join(one.target for one in run.killer.outages.all() if one.until is None) or "nothing"
        taken = len(run.senders.taken)
        text = f"{now:%a %d %b %H:%M}, {taken} leads in, {ended} ended, {run.killer.dealt} blows, down: {down}"
        if self._bar and self._task is not None:
            self._bar.update(self._task, description=text, completed=ended, total=run.options.leads)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + LINE_EVERY_SECONDS
            self.say(text)

    def conclude(self, outcome: Outcome) -> None:
        """Print the table of checks, the figures, and the late deadlines by reason."""
        self.console.print(_checks(outcome), _figures(outcome.figures))
        for check, sentences in outcome.findings.items():
            for sentence in sentences:
                self.console.print(f"{check}: {sentence}", markup=False, style="red")
        if outcome.late:
            self.console.print(_late(outcome))


def _ended(session: Session) -> int:
    return session.exec(select(func.count(func.distinct(Handoff.lead_id))).where(col(Handoff.ended_at).is_not(None))).one()


def _checks(outcome: Outcome) -> Table:
    table = Table("check", "findings")
    for check, sentences in outcome.findings.items():
        table.add_row(check, str(len(sentences) or "none"))
    return table


def _figures(figures: dict[str, Any]) -> Table:
    table = Table("what", "figure")
    for name, value in figures.items():
        shown = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
        table.add_row(name.replace("_", " "), shown)
    return table


def _late(outcome: Outcome) -> Table:
    """Return a table of the late deadlines, with one row for each set of reasons."""
    rows: dict[str, list[float]] = {}
    for one in outcome.late:
        rows.setdefault(", ".join(one.reasons) or "no reason found", []).append(one.by.total_seconds() / 60)
    table = Table("late deadlines", "at most, minutes", "because of")
    for reasons, minutes in sorted(rows.items(), key=lambda row: -len(row[1])):
        table.add_row(str(len(minutes)), f"{max(minutes):.0f}", reasons)
    return table
