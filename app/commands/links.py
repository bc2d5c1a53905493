"""Writes the link of somebody who oversees leads, with the code that makes a browser known."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer
from sqlmodel import Session

from agreements.errors import HandoffError
from app import terminal
from storage import roster
from tasks.replies.lead_overview import Side, oversees
from tasks.wiring.toolbox import Toolbox

_Person = Annotated[str, typer.Argument(help="The id of a person in the roster.")]
_NOT: dict[Side, str] = {"marketing": "speak for marketing", "manager": "decide for anybody's leads"}


def marketing(person: _Person) -> None:
    """Show the link of somebody of marketing to all open leads, and the code for it. Give them to nobody else.

    The link works for 48 hours. A new one is in each digest.
    """
    _show(person, "marketing")


def manager(person: _Person) -> None:
    """Show the link of a manager to the open leads of their people, and the code for it. Give them to nobody else.

    The link works for 48 hours. A new one is in each digest.
    """
    _show(person, "manager")


def _show(person: str, side: Side) -> None:
    box = terminal.open_box()
    with terminal.told():
        link, code = box.read_now(lambda session, now: _link(session, box, person, side, now))
        terminal.console.print(link, markup=False, soft_wrap=True)
        terminal.console.print(f"Code: {code}")


def _link(session: Session, box: Toolbox, person: str, side: Side, now: datetime) -> tuple[str, str]:
    people = roster.current(session)
    known = people.person(person)
    if known is None:
        raise HandoffError(f"Nobody in the roster is {person!r}; there are: {', '.join(people.people)}.")
    if oversees(people, person, now) != side:
        raise HandoffError(f"{known.name} does not {_NOT[side]}.")
    link = box.links.for_person(person, at=now)
    return f"{link}/leads", box.links.number(link.rpartition("/")[2])
