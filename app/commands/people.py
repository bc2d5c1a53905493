"""The roster: who takes part."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from app import terminal
from storage import roster

app = typer.Typer(no_args_is_help=True, help="The people and teams.")


@app.command("load")
def load(file: Annotated[Path, typer.Argument(help="A roster file, see examples/roster.yaml.")]) -> None:
    """Make this file the roster that counts. A file with mistakes changes nothing."""
    box = terminal.open_box()
    with terminal.told():
        text = file.read_text(encoding="utf-8")
        people = box.write_now(lambda session, now: roster.load(session, text, now=now))
        terminal.console.print(f"{len(people.people)} people in {len(people.teams)} teams.")


@app.command("show")
def show() -> None:
    """Who is in the roster, and who is away."""
    box = terminal.open_box()
    with terminal.told():
        people, now = box.read_now(lambda session, at: (roster.current(session), at))
        table = Table("id", "name", "role", "team", "e-mail", "away")
        for ident, person in people.people.items():
            away = f"until {person.back_at(now):%d %b %Y}" if person.is_away(now) else ""
            table.add_row(ident, person.name, person.role, person.team, person.email, away)
        terminal.console.print(table)
