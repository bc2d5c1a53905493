"""Shows and revokes the browsers that belong to a person, and the links that Baton sent them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from agreements.errors import RosterError
from app import terminal
from storage import devices, roster
from storage.tables import Device
from tasks.replies import new_links

SHOWN = 12
"""So much of a hash tells browsers apart."""


def show(person: Annotated[str, typer.Argument(help="Id of a person in the roster. Default: everybody.")] = "") -> None:
    """Show who answers from which browsers, and since when: `known` by the code from a message, `enrolled` by a mailed code."""
    box = terminal.open_box()
    for row in box.read_now(lambda session, now: devices.of_person(session, person, now=now)):
        terminal.console.print(f"{row.id:>5}  {row.person:<16} {row.level:<9} {row.since:%Y-%m-%d %H:%M}  {row.hash[:SHOWN]}")


def revoke(
    person: Annotated[str, typer.Argument(help="The id of a person in the roster.")],
    number: Annotated[int | None, typer.Option("--device", help="Only the browser with this number in the list.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Send no message with a new link.")] = False,
) -> None:
    """Forget a person's browsers and end the links that Baton sent them, as for a lost telephone or a forwarded message.

    The person gets a message with a new link to every open task. Use --quiet where somebody else reads their mail: no message goes
    out. With --device only that browser is forgotten, and the links stay.
    """
    box = terminal.open_box()

    def work(session: Session, now: datetime) -> int:
        rows: list[Device] = [row for row in devices.of_person(session, person, now=now) if number in (None, row.id)]
        for row in rows:
            devices.forget(session, row, now=now)
        if number is None and _is_of_roster(session, person):
            new_links.send(session, person, by=terminal.who(), quiet=quiet, now=now)
        return len(rows)

    is_known = box.read_now(lambda session, now: _is_of_roster(session, person))
    count = box.write_now(work)
    if not count and (number is not None or not is_known):
        which = f"browser {number}" if number is not None else "browser"
        terminal.fail(terminal.FINDINGS, f"No {which} is known as that of {person!r}. See: baton devices list.")
    terminal.console.print(f"Forgotten: {count}.")
    if number is None and is_known:
        told = "Nobody was told." if quiet else "They get a message with a new one."
        terminal.console.print(f"The links that were sent to {person} are over. {told}", markup=False, soft_wrap=True)


def _is_of_roster(session: Session, person: str) -> bool:
    try:
        return roster.current(session).person(person) is not None
    except RosterError:
        return False
