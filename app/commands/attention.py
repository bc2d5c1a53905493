"""baton messages count: how many messages each person got on each day."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated

import typer

from app import terminal
from storage import message_counts, roster

_DAY = "A day, as 2027-02-01."


def count(
    first: Annotated[str, typer.Option("--from", help=f"The first day to count. {_DAY}")] = "",
    last: Annotated[str, typer.Option("--to", help=f"The last day to count. {_DAY}")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the messages that each person got on each day of their own zone. Writes into the CRM do not count."""
    since, until = _day("--from", first), _day("--to", last)
    if since and until and since > until:
        terminal.fail(terminal.USAGE, f"--from {since} is after --to {until}; exchange them.")
    with terminal.told():
        box = terminal.open_box()
        people = box.read_now(lambda session, now: roster.current(session))
        counts = box.read_now(lambda session, now: message_counts.messages_per_day(session, people, first=since, last=until))
    found = message_counts.summary(counts)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for person, days in found["people"].items():
        terminal.console.print(
            f"{people.name_of(person)}: at most {max(days.values())} a day, {sum(days.values())} in {len(days)} days", markup=False
        )
    terminal.console.print(f"At most {found['max']} a person and day, usually {found['median']:g}.")


def _day(option: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        terminal.fail(terminal.USAGE, f"{option} {text}: write a day as 2027-02-01.")
