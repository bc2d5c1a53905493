"""Browsers that are known to be somebody's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from app import terminal
from storage import devices
from storage.tables import Device

app = typer.Typer(no_args_is_help=True, help="Browsers that are known to be somebody's.")
SHOWN = 12
"""So much of a hash tells browsers apart."""


@app.command("list")
def show(person: Annotated[str, typer.Argument(help="The id of a person of the roster; all where left out.")] = "") -> None:
    """Who answers from which browsers, since when: `known` by the number from a message, `enrolled` by a mailed code."""
    box = terminal.open_box()
    for row in box.read_now(lambda session, now: devices.of_person(session, person, now=now)):
        terminal.console.print(f"{row.id:>5}  {row.person:<16} {row.level:<9} {row.since:%Y-%m-%d %H:%M}  {row.hash[:SHOWN]}")


@app.command("revoke")
def revoke(
    person: Annotated[str, typer.Argument(help="The id of a person of the roster.")],
    number: Annotated[int | None, typer.Option("--device", help="Only the one with this number in the list.")] = None,
) -> None:
    """Forget the browsers of a person, or one of them: the number from a message is asked for there again."""
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> int:
        rows: list[Device] = [row for row in devices.of_person(session, person, now=now) if number in (None, row.id)]
        for row in rows:
            devices.forget(session, row, now=now)
        return len(rows)

    count = box.write_now(work)
    if not count:
        which = f"browser {number}" if number is not None else "browser"
        terminal.fail(terminal.FINDINGS, f"No {which} is known as that of {person!r}. See: baton devices list.")
    terminal.console.print(f"Forgotten: {count}.")
