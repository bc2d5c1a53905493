"""Leads that are one person: likely twins, merging, telling apart again, and saying that two leads are two people."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from agreements import presence
from app import terminal
from storage import roster, twin_pairs
from tasks.background.twins import find_twins
from tasks.steps import merging

_Reason = Annotated[str, typer.Option(help="The reason, for the trail.")]


def twins(
    limit: Annotated[int, typer.Option(help="Show at most this many pairs.", min=1)] = 50,
) -> None:
    """List leads that may be the same person, each pair with the reason. Nothing is merged.

    Each pair is also kept for marketing's page, on which one click merges it or says that they are two people.
    """
    box = terminal.open_box()
    with terminal.told():
        found = asyncio.run(find_twins(box, limit=limit))
        table = Table("lead", "perhaps the same as", "why", "to merge")
        for one in found:
            table.add_row(f"{one.lead} {one.name}", f"{one.other} {one.other_name}", one.why, f"baton leads merge {one.lead} {one.other}")
        terminal.console.print(table if found else "No leads look like the same person.")
        if found:
            link = box.read_now(lambda session, now: box.links.for_person(presence.marketing(roster.current(session), now), at=now))
            terminal.console.print(f"Marketing's page: {link}", soft_wrap=True)


def apart(
    lead: Annotated[int, typer.Argument(help="Number of the one lead.")],
    other: Annotated[int, typer.Argument(help="Number of the other lead.")],
) -> None:
    """Say that two leads that look like one person are two people. Baton does not suggest them again."""
    box = terminal.open_box()
    with terminal.told():
        box.write_now(lambda session, now: twin_pairs.tell_apart(session, lead, other, by=terminal.who(), now=now))
        terminal.console.print(f"Leads {lead} and {other} are two people, and stay two leads.")


def merge(
    lead: Annotated[int, typer.Argument(help="Number of the lead that ends.")],
    into: Annotated[int, typer.Argument(help="Number of the lead of the same person that goes on.")],
    reason: _Reason = "",
) -> None:
    """Merge a lead into another lead of the same person. Its open handoff ends, and its rep gets a message."""
    box = terminal.open_box()
    with terminal.told():
        box.write_now(lambda session, now: merging.merge(session, lead, into, by=terminal.who(), now=now, reason=reason))
        terminal.console.print(f"Lead {lead} is part of lead {into} now. To tell them apart again: baton leads unmerge {lead}")


def unmerge(
    lead: Annotated[int, typer.Argument(help="Number of the lead that was merged into another one.")],
    reason: _Reason = "",
) -> None:
    """Make a merged lead a lead of its own again, with its own facts, activities and a new handoff."""
    box = terminal.open_box()
    with terminal.told():
        stood = box.write_now(lambda session, now: merging.unmerge(session, lead, by=terminal.who(), now=now, reason=reason).id)
        terminal.console.print(f"Lead {lead} is a lead of its own again, apart from lead {stood}.")
