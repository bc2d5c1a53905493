"""Retention: shows the agreed times and what is past them, and deletes it now."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from app import terminal
from tasks.erasure.retention import Kept, Plan, agreed, carry_out, in_words, plan
from tasks.wiring.toolbox import Toolbox


def show() -> None:
    """Show the times of each agreement, and what the next run would delete."""
    box = terminal.open_box()
    with terminal.told():
        table = Table("agreement", "personal", "trail")
        for name, personal, trail in box.read_now(lambda session, now: agreed(session)):
            table.add_row(name, f"{personal} days after the last activity", f"{trail} days")
        terminal.console.print(table)
        _print(box.read_now(lambda session, now: plan(session, now=now)))


def run(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False) -> None:
    """Delete what is past its agreed time, as the flow `retention` does each day. Never touches open handoffs."""
    box = terminal.open_box()
    with terminal.told():
        if dry_run:
            _print(box.read_now(lambda session, now: plan(session, now=now)))
            return
        kept = asyncio.run(_carry_out(box))
        terminal.console.print(in_words(kept))
        for one in kept.left:
            terminal.console.print(one, markup=False, soft_wrap=True)


async def _carry_out(box: Toolbox) -> Kept:
    from app.tidying import at_named_server  # imports Prefect, which --dry-run does not need

    kept = await carry_out(box)
    deleted, left = await at_named_server(box)
    kept.deleted.update({f"{name} at Prefect": count for name, count in deleted.items() if count})
    kept.left += [left] if left else []
    return kept


def _print(what: Plan) -> None:
    say = terminal.console.print
    say(f"Past their time: {what.leads} leads, with {what.texts} texts.")
    if what.trail_before is not None:
        say(f"The trail is kept from {what.trail_before:%d %B %Y} on.")
    if what.chores:
        say(f"{what.chores} things are still to be deleted at Prefect.")
