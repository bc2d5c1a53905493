"""The roster of people: check, load and show it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agreements.errors import RosterError
from agreements.roster import Roster, read_roster
from app import terminal
from tasks.wiring.roster_addresses import unusable_addresses


def check(file: Annotated[Path, typer.Argument(help="A roster file, see examples/roster.yaml.")]) -> None:
    """Show every mistake in a roster file, including addresses that no chat service can reach. Loads nothing."""
    with terminal.told():
        terminal.console.print(_counted(_checked(file.read_text(encoding="utf-8"))))


def load(file: Annotated[Path, typer.Argument(help="A roster file, see examples/roster.yaml.")]) -> None:
    """Put this roster file in force. A file with mistakes changes nothing."""
    box = terminal.open_box()
    from storage import roster  # a check needs no database

    with terminal.told():
        text = file.read_text(encoding="utf-8")
        people = _checked(text)
        box.write_now(lambda session, now: roster.load(session, text, now=now))
        terminal.console.print(_counted(people))


def _checked(text: str) -> Roster:
    people = read_roster(text)
    if problems := unusable_addresses(people):
        raise RosterError("\n".join(problems))
    return people


def _counted(people: Roster) -> str:
    return f"{len(people.people)} people in {len(people.teams)} teams."


def show() -> None:
    """Show who is in the roster, and who is away."""
    box = terminal.open_box()
    from storage import roster

    with terminal.told():
        people, now = box.read_now(lambda session, at: (roster.current(session), at))
        table = Table("id", "name", "role", "team", "e-mail", "away")
        for ident, person in people.people.items():
            away = f"until {person.back_at(now):%d %b %Y}" if person.is_away(now) else ""
            table.add_row(ident, person.name, person.role, person.team, person.email, away)
        terminal.console.print(table)
