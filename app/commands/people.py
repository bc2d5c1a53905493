"""The roster of people: check, load and show it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from agreements.absences import absences_of, source_of, span, told, where
from agreements.errors import RosterError
from agreements.roster import Person, Roster, read_roster
from app import terminal
from tasks.wiring.roster_addresses import unusable_addresses


def check(file: Annotated[Path, typer.Argument(help="A roster file, see examples/roster.yaml.")]) -> None:
    """Show every mistake in a roster file, including addresses that no chat service can reach. Loads nothing."""
    with terminal.told():
        terminal.console.print(_counted(_checked(file.read_text(encoding="utf-8"))))


def load(
    file: Annotated[Path, typer.Argument(help="A roster file, see examples/roster.yaml.")],
    hand_over: Annotated[bool, typer.Option("--hand-over", help="Give what missing people have open to others, by the rules.")] = False,
    to: Annotated[str, typer.Option("--to", help="Give all that missing people have open to this person: an id of the new roster.")] = "",
) -> None:
    """Put this roster file in force. A file with mistakes changes nothing, nor does one without somebody who has something open."""
    box = terminal.open_box()
    from tasks.background.leaving import load_roster  # a check needs no database

    with terminal.told():
        text = file.read_text(encoding="utf-8")
        _checked(text)
        people, moved = load_roster(box, text, hand_over=hand_over, to=to, by=terminal.who())
        terminal.console.print(_counted(people))
        if moved:
            what = "lead or duty of people who have left is" if moved == 1 else "leads and duties of people who have left are"
            terminal.console.print(f"{moved} {what} handed over.")


def _checked(text: str) -> Roster:
    people = read_roster(text)
    if problems := unusable_addresses(people):
        raise RosterError("\n".join(problems))
    return people


def _counted(people: Roster) -> str:
    return f"{len(people.people)} people in {len(people.teams)} teams."


def show() -> None:
    """Show who is in the roster, and who is away until when, with the stand-in. `baton roster away` lists all absences."""
    box = terminal.open_box()
    from storage import roster

    with terminal.told():
        people, now = box.read_now(lambda session, at: (roster.current(session), at))
        table = Table("id", "name", "role", "team", "e-mail", "away")
        for ident, person in people.people.items():
            table.add_row(ident, person.name, person.role, person.team, person.email, _away(people, person, now))
        terminal.console.print(table)


def _away(people: Roster, person: Person, now: datetime) -> str:
    """The present absence, else the next one: in the person's zone, with who stands in and where it comes from."""
    one = next(iter(absences_of(person, since=now)), None)
    if one is None:
        return ""
    zone, deputy = ZoneInfo(person.timezone), one.deputy or person.deputy
    first = f"until {told(person.back_at(now), zone)}" if one.from_ <= now else span(one, zone)
    return f"{first}, {people.name_of(deputy) if deputy else 'nobody'} stands in ({where(source_of(one))})"
